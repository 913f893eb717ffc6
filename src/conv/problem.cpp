#include "conv/problem.h"

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

/// A size by the formula of output_shape().
std::string formula(const char* axis, std::int64_t in, std::int64_t begin, std::int64_t end, std::int64_t dilation,
                    std::int64_t k, std::int64_t stride, std::int64_t out) {
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  return std::string(axis) + " = floor((" + number(in) + " + " + number(begin) + " + " + number(end) + " - " +
         number(dilation) + "*(" + number(k) + "-1) - 1) / " + number(stride) + ") + 1 = " + number(out);
}

void check_axis(const char* axis, std::int64_t in, std::int64_t begin, std::int64_t end, PaddingMode mode) {
  if (mode == PaddingMode::reflect && (begin >= in || end >= in)) {
    refuse_shape("", "reflect padding must be smaller than the input (padding " + std::to_string(begin) + " and " +
                         std::to_string(end) + " against an input " + axis + " of " + std::to_string(in) +
                         "); pad less, or use symmetric, replicate or circular");
  }
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

  const Pads& pads = problem.pads;
  check_axis("height", input.h, pads.top, pads.bottom, params.padding_mode);
  check_axis("width", input.w, pads.left, pads.right, params.padding_mode);

  const Extent extent = dilated_kernel(kernel, params.dilation);
  const std::int64_t padded_h = input.h + pads.top + pads.bottom, padded_w = input.w + pads.left + pads.right;
  if (extent.h > padded_h || extent.w > padded_w) {
    const bool dilated = params.dilation != Extent{};
    refuse_shape("", "the kernel is larger than the padded input (kernel " + times(kernel.kh, kernel.kw) +
                         (dilated ? ", dilated to " + times(extent.h, extent.w) : "") + ", padded input " +
                         times(padded_h, padded_w) + "); pad more, or use a smaller kernel");
  }
  return problem;
}

Shape output_shape(const ConvProblem& problem) {
  const Extent extent = dilated_kernel(problem.kernel, problem.dilation);
  const Pads& pads = problem.pads;
  return {.n = problem.input.n,
          .c = problem.kernel.c_o,
          .h = (problem.input.h + pads.top + pads.bottom - extent.h) / problem.stride.h + 1,
          .w = (problem.input.w + pads.left + pads.right - extent.w) / problem.stride.w + 1};
}

std::string height_formula(const ConvProblem& p) {
  return formula("h", p.input.h, p.pads.top, p.pads.bottom, p.dilation.h, p.kernel.kh, p.stride.h, output_shape(p).h);
}

std::string width_formula(const ConvProblem& p) {
  return formula("w", p.input.w, p.pads.left, p.pads.right, p.dilation.w, p.kernel.kw, p.stride.w, output_shape(p).w);
}

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
