#include "conv/engine/weights.h"

#include <algorithm>
#include <cmath>

namespace convtool {

std::optional<DyadicWeights> dyadic_weights(const Kernel& kernel) {
  DyadicWeights dyadic;
  double least = 0, most = 0;
  for (const float weight : kernel.weights) {
    if (!std::isfinite(weight)) return std::nullopt;
    const auto value = static_cast<double>(weight);
    while (value * dyadic.scale != std::trunc(value * dyadic.scale)) dyadic.scale *= 2;  // exact: 2^149 at most
    least = std::min(least, value);
    most = std::max(most, value);
    if (least * dyadic.scale < -32768 || most * dyadic.scale > 32767) return std::nullopt;
  }
  dyadic.integers.reserve(kernel.weights.size());
  for (const float weight : kernel.weights)
    dyadic.integers.push_back(static_cast<std::int32_t>(static_cast<double>(weight) * dyadic.scale));
  const auto taps = static_cast<std::size_t>(kernel.shape.taps());
  for (std::size_t first = 0; first < dyadic.integers.size(); first += taps) {
    double sum = 0;
    for (std::size_t t = first; t < first + taps; ++t) sum += std::fabs(static_cast<double>(dyadic.integers[t]));
    dyadic.largest_sum = std::max(dyadic.largest_sum, sum);
  }
  return dyadic;
}

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
