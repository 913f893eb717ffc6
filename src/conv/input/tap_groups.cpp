#include "conv/input/tap_groups.h"

#include <algorithm>
#include <cmath>

namespace convtool {
namespace {

std::vector<TapGroup> inside_axis(std::int64_t out, std::int64_t in, std::int64_t taps, std::int64_t stride,
                                  std::int64_t dilation, std::int64_t begin_pad) {
  std::vector<TapGroup> groups;
  for (std::int64_t i = 0; i < out; ++i) {
    const Range inside = interior(taps, in, dilation, i * stride - begin_pad);
    if (groups.empty() || groups.back().taps.begin != inside.begin || groups.back().taps.end != inside.end)
      groups.push_back({{i, i}, inside});
    groups.back().positions.end = i + 1;
  }
  return groups;
}

}  // namespace

TapGroups TapGroups::all(const ConvProblem& problem) {
  const Shape out = output_shape(problem);
  return {.rows = {{{0, out.h}, {0, problem.kernel.kh}}}, .columns = {{{0, out.w}, {0, problem.kernel.kw}}}};
}

TapGroups TapGroups::inside(const ConvProblem& problem) {
  const Shape out = output_shape(problem);
  return {.rows = inside_axis(out.h, problem.input.h, problem.kernel.kh, problem.stride.h, problem.dilation.h,
                              problem.pads.top),
          .columns = inside_axis(out.w, problem.input.w, problem.kernel.kw, problem.stride.w, problem.dilation.w,
                                 problem.pads.left)};
}

bool padding_adds_nothing(const ConvProblem& problem, const Kernel& kernel) {
  return is_constant(problem.padding_mode) && problem.padding_value == 0 &&
         std::all_of(kernel.weights.begin(), kernel.weights.end(), [](float weight) { return std::isfinite(weight); });
}

}  // namespace convtool
