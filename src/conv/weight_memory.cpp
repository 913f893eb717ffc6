#include "conv/weight_memory.h"

#include "conv/engine/filled_weights.h"

namespace convtool {

double kept_weights(const ConvProblem& problem) {
  const double doubles = problem.kernel.c_i_per_group == 1 ? 2 : 0;
  return (2 + doubles) * static_cast<double>(problem.kernel.count()) + largest_copy(problem);
}

}  // namespace convtool
