#include "conv/weight_memory.h"

#include <algorithm>

#include "conv/engine/limits.h"
#include "conv/engine/simd.h"
#include "core/whole_division.h"

namespace convtool {
namespace {

/// The weights with the output channels of each group filled up to whole vectors, as `packed` keeps them. `depthwise`
/// fills up all groups together.
double filled_weights(const ConvProblem& problem) {
  const KernelShape& kernel = problem.kernel;
  const std::int64_t outputs = kernel.c_o / problem.groups, lanes = float_lanes();
  return static_cast<double>(kernel.count()) * static_cast<double>(ceil_divided(outputs, lanes) * lanes) /
         static_cast<double>(outputs);
}

/// The most floats of a copy that is not filled up: winograd's has 16 for 9 weights.
double usual_copy(const ConvProblem& problem) { return 16.0 / 9 * static_cast<double>(problem.kernel.count()); }

constexpr double kMostFilled = kMostMemory / sizeof(float);

}  // namespace

double kept_weights(const ConvProblem& problem) {
  const double doubles = problem.kernel.c_i_per_group == 1 ? 2 : 0;
  return (2 + doubles) * static_cast<double>(problem.kernel.count()) +
         std::max(usual_copy(problem), std::min(filled_weights(problem), kMostFilled));
}

bool fills_up_too_much(const ConvProblem& problem) {
  const double filled = filled_weights(problem);
  return filled > kMostFilled && filled > usual_copy(problem);
}

}  // namespace convtool
