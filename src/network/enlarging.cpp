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
  const std::int64_t common = std::gcd(a.stride, a.dilation), step = a.stride / common;
  const auto reads = [&](std::int64_t u) { return floored(r + a.pad_begin - u * a.dilation, a.stride); };
  const auto is_tap = [&](std::int64_t u) { return reads(u) * a.stride == r + a.pad_begin - u * a.dilation; };
  std::int64_t least = 0;  // rows of the kernel that the phase sees are `step` apart
  while (least < std::min(step, a.kernel) && !is_tap(least)) ++least;
  if (least == std::min(step, a.kernel)) return axis;
  axis.taps = (a.kernel - 1 - least) / step + 1;
  axis.first_tap = least + (axis.taps - 1) * step;
  axis.tap_step = -step;
  axis.dilation = a.dilation / common;
  set_input(axis, reads(axis.first_tap), reads(least), a.in);
  return axis;
}

PhaseAxis upsampled_phase(std::int64_t in, std::int64_t scale, std::int64_t r, bool blends) {
  PhaseAxis axis{.first = r, .count = in, .taps = 1, .first_tap = 2 * scale};
  const std::int64_t offset = blends ? 2 * r + 1 - scale : 0, distance = std::abs(offset);
  if (offset != 0) {
    axis.taps = 2;
    axis.first_tap = offset < 0 ? distance : 2 * scale - distance;
    axis.tap_step = 2 * scale - 2 * axis.first_tap;
  }
  set_input(axis, offset < 0 ? -1 : 0, offset > 0 ? 1 : 0, in);
  return axis;
}

std::vector<PhaseAxis> phase_axes(const Layer& layer, const EnlargedAxis& axis) {
  const bool blends = layer.enlarging == Enlarging::bilinear;
  std::vector<PhaseAxis> phases;
  for (std::int64_t r = 0; r < axis.stride; ++r) {
    const PhaseAxis phase = layer.enlarging == Enlarging::transposed ? transposed_phase(axis, r)
                                                                     : upsampled_phase(axis.in, axis.stride, r, blends);
    if (phase.count > 0) phases.push_back(phase);
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
    kernel.kh = rows.taps;
    kernel.kw = columns.taps;
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

/// Throws where a size of the output or the number of weights is beyond 64 bits.
void check_fits(const KernelShape& kernel, const EnlargedAxis& rows, const EnlargedAxis& columns) {
  constexpr double kMost = 0x1p60;
  for (const EnlargedAxis& axis : {rows, columns})
    if (static_cast<double>(axis.in) * static_cast<double>(axis.stride) +
            static_cast<double>(axis.dilation) * static_cast<double>(axis.kernel) >
        kMost)
      refuse_shape("", "the output is larger than 64-bit numbers; enlarge less, or in fewer layers");
  if (static_cast<double>(kernel.c_o) * static_cast<double>(kernel.c_i_per_group) * static_cast<double>(kernel.kh) *
          static_cast<double>(kernel.kw) >
      kMost)
    refuse_shape("", "the kernel has more weights than fit in any memory; make it smaller");
}

}  // namespace

Enlargement enlarge(const Layer& layer, const Shape& input) {
  require(can_enlarge_by(layer.params.stride), "an upsampling with too many phases");
  if (input.n < 1 || input.c < 1 || input.h < 1 || input.w < 1)
    refuse_shape("", "the input is empty (shape " + to_string(input) + "); every dimension must be at least 1");
  Enlargement result{.kind = layer.enlarging,
                     .output = {.n = input.n, .c = phase_channels(layer, input.c).c_o},
                     .step = layer.params.stride};
  const EnlargedAxis rows = enlarged_rows(layer, input), columns = enlarged_columns(layer, input);
  if (layer.enlarging == Enlarging::transposed && input.c != layer.shape.c_o)
    refuse_shape("", "the channels of a transposed convolution do not match the input (expected " +
                         counted(layer.shape.c_o, "channel") + ", got " + std::to_string(input.c) +
                         "); its weights are [c_i][c_o/groups][kh][kw]");
  check_fits(layer.shape, rows, columns);
  if (layer.enlarging != Enlarging::transposed) {
    result.output.h = input.h * result.step.h;
    result.output.w = input.w * result.step.w;
    return result;
  }
  result.output.h = rows.out();
  result.output.w = columns.out();
  if (result.output.h < 1 || result.output.w < 1)
    refuse_shape("", "nothing would be left of the output (" + enlarged_height_formula(layer, input) + ", " +
                         enlarged_width_formula(layer, input) + "); pad less");
  return result;
}

std::vector<Phase> phases_of(const Layer& layer, DType dtype, const Shape& input) {
  const std::vector<PhaseAxis> columns = phase_axes(layer, enlarged_columns(layer, input));
  std::vector<Phase> phases;
  for (const PhaseAxis& row : phase_axes(layer, enlarged_rows(layer, input)))
    for (const PhaseAxis& column : columns) {
      Phase& phase = phases.emplace_back(Phase{.rows = row, .columns = column, .problem = {}});
      phase.problem = problem_of(layer, phase, dtype, input);
    }
  return phases;
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

float transposed_weight(const Layer& layer, std::int64_t o, std::int64_t c, std::int64_t u, std::int64_t v, bool flip) {
  const KernelShape& shape = layer.shape;  // [c_i][c_o/groups][kh][kw]
  const std::int64_t group = o / shape.c_i_per_group, column = o % shape.c_i_per_group;
  const std::int64_t plane = (group * (shape.c_o / layer.params.groups) + c) * shape.c_i_per_group + column;
  if (flip) {
    u = shape.kh - 1 - u;
    v = shape.kw - 1 - v;
  }
  return layer.weights[static_cast<std::size_t>((plane * shape.kh + u) * shape.kw + v)];
}

Kernel phase_kernel(const Layer& layer, const Phase& phase, bool flip) {
  const KernelShape& shape = phase.problem.kernel;
  const auto channels = static_cast<std::size_t>(shape.c_o);
  Kernel kernel{.shape = shape, .weights = {}, .bias = std::vector<float>(channels)};
  if (!layer.bias.empty())
    for (std::size_t o = 0; o < channels; ++o) kernel.bias[o] = layer.bias[layer.bias.size() == 1 ? 0 : o];
  if (!layer.divisor.empty()) kernel.divisor.assign(channels, layer.divisor.front());
  if (layer.enlarging == Enlarging::transposed && layer.weights.empty()) return kernel;
  kernel.weights.reserve(static_cast<std::size_t>(shape.count()));
  if (phase.sees_zeros()) {
    kernel.weights.resize(static_cast<std::size_t>(shape.count()));
    return kernel;
  }
  const PhaseAxis &rows = phase.rows, &columns = phase.columns;
  if (layer.enlarging != Enlarging::transposed) {
    for (std::size_t c = 0; c < channels; ++c)
      for (std::int64_t i = 0; i < rows.taps; ++i)
        for (std::int64_t j = 0; j < columns.taps; ++j)
          kernel.weights.push_back(static_cast<float>(rows.tap(i) * columns.tap(j)));
    const Extent& scale = layer.params.stride;
    kernel.divisor.assign(channels, static_cast<double>(4 * scale.h * scale.w));
    return kernel;
  }
  for (std::int64_t o = 0; o < shape.c_o; ++o)
    for (std::int64_t c = 0; c < shape.c_i_per_group; ++c)
      for (std::int64_t i = 0; i < rows.taps; ++i)
        for (std::int64_t j = 0; j < columns.taps; ++j)
          kernel.weights.push_back(transposed_weight(layer, o, c, rows.tap(i), columns.tap(j), flip));
  return kernel;
}

std::string enlarged_height_formula(const Layer& layer, const Shape& input) {
  return enlarged_formula("h", layer, enlarged_rows(layer, input));
}

std::string enlarged_width_formula(const Layer& layer, const Shape& input) {
  return enlarged_formula("w", layer, enlarged_columns(layer, input));
}

}  // namespace convtool
