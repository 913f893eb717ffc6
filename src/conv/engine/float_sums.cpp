#include "conv/engine/float_sums.h"

#include <algorithm>
#include <cmath>

namespace convtool {

bool float_sums_suffice(const ConvProblem& problem, const Kernel& kernel) {
  if (problem.input_dtype == DType::f32) return true;
  const double largest =
      std::max(full_range(problem.input_dtype), std::fabs(static_cast<double>(problem.padding_value)));
  const std::int64_t taps = kernel.shape.taps();
  for (std::int64_t o = 0; o < kernel.shape.c_o; ++o) {
    double sum = 0;
    for (std::int64_t t = 0; t < taps; ++t) sum += std::fabs(static_cast<double>(kernel.taps(o, 0)[t]));
    if (largest * sum >= 0x1p24) return false;
  }
  return true;
}

}  // namespace convtool
