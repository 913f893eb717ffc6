#include "conv/problem.h"

#include "conv/axes.h"
#include "core/text.h"

namespace convtool {
namespace {

std::string times(std::int64_t h, std::int64_t w) { return std::to_string(h) + "x" + std::to_string(w); }

/// A remedy for a kernel that expects `expected` input channels on an input of c_i.
std::string channel_remedy(const ConvProblem& problem, std::int64_t expected) {
  const std::int64_t c_i = problem.input.c;
  const std::int64_t groups = c_i / problem.kernel.c_i_per_group;
  if (c_i == 4 && expected == 3) return "drop the fourth channel, or give weights for 4 input channels";
  if (c_i % problem.kernel.c_i_per_group == 0 && problem.kernel.c_o % groups == 0 &&
      (groups > 1 || problem.groups > 1)) {
    const std::string option = "--groups " + std::to_string(groups);
    return expected == 1 ? "add --gray, or " + option + " to filter each channel alone"
                         : "add " + option + ", or use a rank-2 kernel, which filters each channel alone";
  }
  if (c_i == 1) return "use a kernel for one channel, such as one of rank 2";
  if (expected == 1) return "add --gray, or use a rank-2 kernel, which filters each channel alone";
  return "give weights for " + counted(c_i, "input channel") + ", or a rank-2 kernel, which filters each channel alone";
}

void check_channels(const ConvProblem& problem) {
  const std::int64_t c_i = problem.input.c, groups = problem.groups;
  const std::int64_t expected = problem.kernel.c_i_per_group * groups;
  if (c_i != expected) {
    refuse_shape("", "the kernel's channels do not match the input (expected " + counted(expected, "channel") +
                         (groups > 1 ? " in " + std::to_string(groups) + " groups" : "") + ", got " +
                         std::to_string(c_i) + "); " + channel_remedy(problem, expected));
  }
  if (problem.kernel.c_o % groups != 0) {
    refuse_shape("", "groups does not divide the output channels (" + counted(groups, "group") + ", " +
                         counted(problem.kernel.c_o, "output channel") +
                         "); choose a number of groups that divides both channel counts");
  }
}

Axes axes_of(const ConvProblem& p) {
  return axes_of(p.input, {p.kernel.kh, p.kernel.kw}, p.stride, p.dilation, p.pads);
}

std::int64_t output_size(const Axis& axis) { return (axis.padded() - axis.extent()) / axis.stride + 1; }

std::string formula(const char* name, const Axis& axis) {
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  return std::string(name) + " = floor((" + number(axis.in) + " + " + number(axis.pad_begin) + " + " +
         number(axis.pad_end) + " - " + number(axis.dilation) + "*(" + number(axis.kernel) + "-1) - 1) / " +
         number(axis.stride) + ") + 1 = " + number(output_size(axis));
}

/// Throws where positions along the axis are beyond 64 bits.
void check_fits(const Axis& axis) {
  constexpr double kMost = 0x1p60;
  if (static_cast<double>(axis.in) + static_cast<double>(axis.pad_begin) + static_cast<double>(axis.pad_end) > kMost)
    refuse_shape("", "the padded input is larger than 64-bit numbers; pad less, or in fewer layers");
}

void check_reflection(const char* name, const Axis& axis) {
  if (axis.pad_begin < axis.in && axis.pad_end < axis.in) return;
  refuse_shape("", "reflect padding must be smaller than the input (padding " + std::to_string(axis.pad_begin) +
                       " and " + std::to_string(axis.pad_end) + " against an input " + name + " of " +
                       std::to_string(axis.in) + "); pad less, or use symmetric, replicate or circular");
}

}  // namespace

Extent dilated_kernel(const KernelShape& kernel, const Extent& dilation) {
  return {dilation.h * (kernel.kh - 1) + 1, dilation.w * (kernel.kw - 1) + 1};
}

ConvProblem make_problem(DType input_dtype, const Shape& input, const KernelShape& kernel, const ConvParams& params) {
  const double weights = static_cast<double>(kernel.c_o) * static_cast<double>(kernel.c_i_per_group) *
                         static_cast<double>(kernel.kh) * static_cast<double>(kernel.kw);
  constexpr double kAddressable = 0x1p46;  // far beyond any memory, and well within 64 bits
  if (weights > kAddressable) refuse_shape("", "the kernel has more weights than fit in any memory; make it smaller");
  require(weights > 0 && params.stride.h > 0 && params.stride.w > 0 && params.dilation.h > 0 && params.dilation.w > 0 &&
              params.groups > 0,
          "a kernel, stride, dilation or groups below 1 reached the engine");
  if (input.n < 1 || input.c < 1 || input.h < 1 || input.w < 1) {
    refuse_shape("", "the input is empty (shape " + to_string(input) + "); every dimension must be at least 1");
  }
  ConvProblem problem{
      .input_dtype = input_dtype,
      .input = input,
      .kernel = kernel,
      .stride = params.stride,
      .dilation = params.dilation,
      .pads = resolve_pads(params.padding, {input.h, input.w}, dilated_kernel(kernel, params.dilation), params.stride),
      .padding_mode = params.padding_mode,
      .padding_value = params.padding_mode == PaddingMode::constant ? params.padding_value : 0.0F,
      .groups = params.groups};
  check_channels(problem);

  const auto [rows, columns] = axes_of(problem);
  check_fits(rows);
  check_fits(columns);
  if (params.padding_mode == PaddingMode::reflect) {
    check_reflection("height", rows);
    check_reflection("width", columns);
  }
  if (rows.extent() > rows.padded() || columns.extent() > columns.padded()) {
    const bool dilated = params.dilation != Extent{};
    refuse_shape("", "the kernel is larger than the padded input (kernel " + times(kernel.kh, kernel.kw) +
                         (dilated ? ", dilated to " + times(rows.extent(), columns.extent()) : "") + ", padded input " +
                         times(rows.padded(), columns.padded()) + "); pad more, or use a smaller kernel");
  }
  return problem;
}

Shape output_shape(const ConvProblem& problem) {
  const auto [rows, columns] = axes_of(problem);
  return {.n = problem.input.n, .c = problem.kernel.c_o, .h = output_size(rows), .w = output_size(columns)};
}

std::string height_formula(const ConvProblem& problem) { return formula("h", axes_of(problem).rows); }

std::string width_formula(const ConvProblem& problem) { return formula("w", axes_of(problem).columns); }

double mac_count(const ConvProblem& problem) {
  const Shape out = output_shape(problem);
  return static_cast<double>(out.n) * static_cast<double>(out.c) * static_cast<double>(out.h) *
         static_cast<double>(out.w) * static_cast<double>(problem.kernel.taps());
}

std::string to_string(const ConvProblem& problem) {
  const auto number = [](const char* name, std::int64_t value) {
    return std::string(" ") + name + std::to_string(value);
  };
  const Pads& pads = problem.pads;
  std::string line(to_string(problem.input_dtype));
  line += number("n", problem.input.n) + number("ci", problem.input.c) + number("ih", problem.input.h) +
          number("iw", problem.input.w) + number("co", problem.kernel.c_o) + number("kh", problem.kernel.kh) +
          number("kw", problem.kernel.kw) + number("g", problem.groups);
  line += " s" + times(problem.stride.h, problem.stride.w) + " d" + times(problem.dilation.h, problem.dilation.w);
  line += " p" + std::to_string(pads.top) + "," + std::to_string(pads.left) + "," + std::to_string(pads.bottom) + "," +
          std::to_string(pads.right) + " " + std::string(to_string(problem.padding_mode));
  if (problem.padding_mode == PaddingMode::constant) {
    line += "=" + short_text(static_cast<double>(problem.padding_value), 9);  // 9 digits identify a float
  }
  return line;
}

}  // namespace convtool
