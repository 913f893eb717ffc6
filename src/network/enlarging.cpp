#include "network/enlarging.h"

#include <algorithm>
#include <numeric>

#include "conv/axes.h"
#include "core/text.h"

namespace convtool {
namespace {

/// A transposed convolution along one axis.
struct EnlargedAxis : Axis {
  std::int64_t output_padding;

  std::int64_t out() const { return (in - 1) * stride - pad_begin - pad_end + extent() + output_padding; }
};

Axes layer_axes(const Layer& layer, const Shape& input) {
  const ConvParams& p = layer.params;
  return axes_of(input, {layer.shape.kh, layer.shape.kw}, p.stride, p.dilation, p.padding.pads);
}

EnlargedAxis enlarged_rows(const Layer& layer, const Shape& input) {
  return {layer_axes(layer, input).rows, layer.output_padding.h};
}

EnlargedAxis enlarged_columns(const Layer& layer, const Shape& input) {
  return {layer_axes(layer, input).columns, layer.output_padding.w};
}

std::int64_t floored(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// Sets the part of an input of `in` that taps from `first` to `last` read, and the padding beside it.
void set_input(PhaseAxis& axis, std::int64_t first, std::int64_t last, std::int64_t in) {
  const std::int64_t end = axis.count + last;
  axis.pad_begin = std::max<std::int64_t>(0, -first);
  axis.pad_end = std::max<std::int64_t>(0, end - in);
  axis.input = {std::max<std::int64_t>(0, first), std::min(in, end)};
  if (axis.input.begin >= axis.input.end) axis.input = {};
}

PhaseAxis transposed_phase(const EnlargedAxis& a, std::int64_t r) {
  PhaseAxis axis{.first = r, .count = (a.out() - r + a.stride - 1) / a.stride};
  const std::int64_t step = a.stride;
  const auto reads = [&](std::int64_t u) { return floored(r + a.pad_begin - u * a.dilation, step); };
  for (std::int64_t u = a.kernel; u-- > 0;)
    if (reads(u) * step == r + a.pad_begin - u * a.dilation) axis.taps.push_back(u);
  if (axis.taps.empty()) return axis;
  axis.dilation = a.dilation / std::gcd(a.stride, a.dilation);
  set_input(axis, reads(axis.taps.front()), reads(axis.taps.back()), a.in);
  return axis;
}

PhaseAxis upsampled_phase(std::int64_t in, std::int64_t scale, std::int64_t r, bool blends) {
  PhaseAxis axis{.first = r, .count = in, .taps = {2 * scale}};
  const std::int64_t offset = blends ? 2 * r + 1 - scale : 0, distance = std::abs(offset);
  if (offset < 0) axis.taps = {distance, 2 * scale - distance};
  if (offset > 0) axis.taps = {2 * scale - distance, distance};
  set_input(axis, offset < 0 ? -1 : 0, offset > 0 ? 1 : 0, in);
  return axis;
}

std::vector<PhaseAxis> phases_of(const Layer& layer, const Shape& input, bool is_rows) {
  const EnlargedAxis axis = is_rows ? enlarged_rows(layer, input) : enlarged_columns(layer, input);
  const bool blends = layer.enlarging == Enlarging::bilinear;
  std::vector<PhaseAxis> phases;
  for (std::int64_t r = 0; r < axis.stride; ++r) {
    PhaseAxis phase = layer.enlarging == Enlarging::transposed ? transposed_phase(axis, r)
                                                               : upsampled_phase(axis.in, axis.stride, r, blends);
    if (phase.count > 0) phases.push_back(std::move(phase));
  }
  return phases;
}

/// The channels of the kernel of each phase.
KernelShape phase_channels(const Layer& layer, std::int64_t c_i) {
  const std::int64_t groups = layer.params.groups;
  if (layer.enlarging != Enlarging::transposed) return {.c_o = c_i, .c_i_per_group = 1};
  return {.c_o = layer.shape.c_i_per_group * groups, .c_i_per_group = layer.shape.c_o / groups};
}

ConvProblem problem_of(const Layer& layer, const Phase& phase, DType dtype, const Shape& input) {
  const bool is_transposed = layer.enlarging == Enlarging::transposed;
  const PhaseAxis &rows = phase.rows, &columns = phase.columns;
  KernelShape kernel = phase_channels(layer, input.c);
  ConvParams params{.groups = is_transposed ? layer.params.groups : input.c};
  Shape part = input;
  if (phase.sees_zeros()) {
    part.h = part.w = 1;
    params.padding.pads = {0, 0, rows.count - 1, columns.count - 1};
  } else {
    part.h = rows.input.end - rows.input.begin;
    part.w = columns.input.end - columns.input.begin;
    kernel.kh = std::ssize(rows.taps);
    kernel.kw = std::ssize(columns.taps);
    params.dilation = {rows.dilation, columns.dilation};
    params.padding.pads = {rows.pad_begin, columns.pad_begin, rows.pad_end, columns.pad_end};
    if (!is_transposed) params.padding_mode = PaddingMode::replicate;
  }
  return make_problem(dtype, part, kernel, params);
}

std::string enlarged_formula(const char* axis, const Layer& layer, const EnlargedAxis& a) {
  const auto text = [](std::int64_t number) { return std::to_string(number); };
  if (layer.enlarging != Enlarging::transposed)
    return std::string(axis) + " = " + text(a.in) + " * " + text(a.stride) + " = " + text(a.in * a.stride);
  return std::string(axis) + " = (" + text(a.in) + " - 1)*" + text(a.stride) + " - " + text(a.pad_begin) + " - " +
         text(a.pad_end) + " + " + text(a.dilation) + "*(" + text(a.kernel) + "-1) + " + text(a.output_padding) +
         " + 1 = " + text(a.out());
}

}  // namespace

Enlargement enlarge(const Layer& layer, DType dtype, const Shape& input) {
  const Extent& step = layer.params.stride;
  require(step.h * step.w <= kMostPhases, "an upsampling with too many phases");
  if (input.n < 1 || input.c < 1 || input.h < 1 || input.w < 1)
    refuse_shape("", "the input is empty (shape " + to_string(input) + "); every dimension must be at least 1");
  Enlargement result{.kind = layer.enlarging,
                     .output = {.n = input.n, .c = phase_channels(layer, input.c).c_o},
                     .step = step,
                     .phases = {}};
  if (layer.enlarging == Enlarging::transposed) {
    if (input.c != layer.shape.c_o)
      refuse_shape("", "the channels of a transposed convolution do not match the input (expected " +
                           counted(layer.shape.c_o, "channel") + ", got " + std::to_string(input.c) +
                           "); its weights are [c_i][c_o/groups][kh][kw]");
    result.output.h = enlarged_rows(layer, input).out();
    result.output.w = enlarged_columns(layer, input).out();
    if (result.output.h < 1 || result.output.w < 1)
      refuse_shape("", "nothing would be left of the output (" + enlarged_height_formula(layer, input) + ", " +
                           enlarged_width_formula(layer, input) + "); pad less");
  } else {
    result.output.h = input.h * step.h;
    result.output.w = input.w * step.w;
  }
  const std::vector<PhaseAxis> columns = phases_of(layer, input, false);
  for (const PhaseAxis& row : phases_of(layer, input, true))
    for (const PhaseAxis& column : columns) {
      Phase& phase = result.phases.emplace_back(Phase{.rows = row, .columns = column, .problem = {}});
      phase.problem = problem_of(layer, phase, dtype, input);
    }
  return result;
}

ConvProblem described(const Layer& layer, DType dtype, const Shape& input) {
  ConvProblem problem{.input_dtype = dtype, .input = input, .kernel = phase_channels(layer, input.c)};
  problem.kernel.kh = layer.shape.kh;
  problem.kernel.kw = layer.shape.kw;
  problem.stride = layer.params.stride;
  problem.dilation = layer.params.dilation;
  problem.pads = layer.params.padding.pads;
  problem.groups = layer.enlarging == Enlarging::transposed ? layer.params.groups : input.c;
  return problem;
}

Kernel phase_kernel(const Layer& layer, const Phase& phase, bool flip) {
  const KernelShape& shape = phase.problem.kernel;
  const auto channels = static_cast<std::size_t>(shape.c_o);
  Kernel kernel{.shape = shape, .weights = {}, .bias = std::vector<float>(channels)};
  kernel.weights.reserve(static_cast<std::size_t>(shape.count()));
  if (!layer.bias.empty())
    for (std::size_t o = 0; o < channels; ++o) kernel.bias[o] = layer.bias[layer.bias.size() == 1 ? 0 : o];
  if (!layer.divisor.empty()) kernel.divisor.assign(channels, layer.divisor.front());
  if (phase.sees_zeros()) {
    kernel.weights.resize(static_cast<std::size_t>(shape.count()));
    return kernel;
  }
  const std::vector<std::int64_t>&rows = phase.rows.taps, &columns = phase.columns.taps;
  if (layer.enlarging != Enlarging::transposed) {
    for (std::size_t c = 0; c < channels; ++c)
      for (const std::int64_t a : rows)
        for (const std::int64_t b : columns) kernel.weights.push_back(static_cast<float>(a * b));
    const Extent& scale = layer.params.stride;
    kernel.divisor.assign(channels, static_cast<double>(4 * scale.h * scale.w));
    return kernel;
  }
  const KernelShape& all = layer.shape;  // [c_i][c_o/groups][kh][kw]
  for (std::int64_t o = 0; o < shape.c_o; ++o) {
    const std::int64_t group = o / all.c_i_per_group, column = o % all.c_i_per_group;
    for (std::int64_t c = 0; c < shape.c_i_per_group; ++c) {
      const std::int64_t plane = (group * shape.c_i_per_group + c) * all.c_i_per_group + column;
      for (const std::int64_t a : rows)
        for (const std::int64_t b : columns) {
          const std::int64_t u = flip ? all.kh - 1 - a : a, v = flip ? all.kw - 1 - b : b;
          kernel.weights.push_back(layer.weights[static_cast<std::size_t>((plane * all.kh + u) * all.kw + v)]);
        }
    }
  }
  return kernel;
}

std::string enlarged_height_formula(const Layer& layer, const Shape& input) {
  return enlarged_formula("h", layer, enlarged_rows(layer, input));
}

std::string enlarged_width_formula(const Layer& layer, const Shape& input) {
  return enlarged_formula("w", layer, enlarged_columns(layer, input));
}

}  // namespace convtool
