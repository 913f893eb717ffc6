#include "learn/rounding.h"

#include <algorithm>
#include <cmath>

namespace convtool {
namespace {

/// The mean square of what rounding has taken from targets.
double rounding_variance(std::span<const Sample> samples) {
  if (std::all_of(samples.begin(), samples.end(), [](const Sample& sample) { return sample.whole_target; }))
    return 1.0 / 12;
  double largest = 0;
  for (const Sample& sample : samples) {
    const float* values = sample.target.data<float>();
    for (std::int64_t i = 0; i < sample.target.shape().count(); ++i)
      largest = std::max(largest, std::fabs(static_cast<double>(values[i])));
  }
  return 0x1p-48 * largest * largest / 12;
}

Parameters rounded(Parameters parameters, double divisor) {
  for (double& weight : parameters.weights) weight = std::nearbyint(weight * divisor) / divisor;
  for (double& bias : parameters.bias) bias = std::nearbyint(bias * divisor) / divisor;
  return parameters;
}

}  // namespace

std::optional<RoundedParameters> round_parameters(std::span<const Sample> samples, const Parameters& learned,
                                                  bool learns_bias, const Loss& loss, int threads) {
  double values = 0;
  for (const Sample& sample : samples) values += static_cast<double>(sample.learned_values());
  const auto unknowns = static_cast<double>(learned.weights.size() + (learns_bias ? learned.bias.size() : 0));
  const double variance = std::max(loss.learned / values, rounding_variance(samples));
  const double allowed = loss.learned + variance * (unknowns + 3 * std::sqrt(2 * unknowns));
  for (double divisor = 1; divisor <= kLargestDivisor; divisor *= 2) {
    RoundedParameters result{.parameters = rounded(learned, divisor), .divisor = divisor, .loss = {}};
    result.loss = measure_loss(samples, result.parameters.to_kernel(samples.front().problem.kernel), threads);
    if (result.loss.learned <= allowed) return result;
  }
  return std::nullopt;
}

}  // namespace convtool
