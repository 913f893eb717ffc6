#include "conv/engine/filled_weights.h"

#include <algorithm>

#include "conv/engine/simd.h"
#include "core/whole_division.h"

namespace convtool {
namespace {

/// The largest copy that is never too large.
double most_floats(const ConvProblem& problem) {
  constexpr double kFloats = (16 << 20) / sizeof(float);
  return std::max(kFloats, 4 * static_cast<double>(problem.kernel.count()));
}

}  // namespace

double filled_weights(const ConvProblem& problem) {
  const KernelShape& kernel = problem.kernel;
  const std::int64_t outputs = kernel.c_o / problem.groups, lanes = float_lanes();
  return static_cast<double>(kernel.count()) * static_cast<double>(ceil_divided(outputs, lanes) * lanes) /
         static_cast<double>(outputs);
}

double largest_copy(const ConvProblem& problem) {
  return std::min(kWinogradFloats * filled_weights(problem), most_floats(problem));
}

bool fills_up_too_much(const ConvProblem& problem, double floats) { return floats > most_floats(problem); }

}  // namespace convtool
