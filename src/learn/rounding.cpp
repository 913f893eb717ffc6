#include "learn/rounding.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "conv/gradients/weight_gradient.h"

namespace convtool {
namespace {

/// The mean squared error of rounding the targets.
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

/// Subtracts from each bias the mean error of its output channel. The mean of n errors with this variance has a
/// standard deviation of sqrt(variance / n): a bias within three of 0 becomes 0.
void fit_biases(std::span<const Sample> samples, double variance, int threads, Parameters& parameters) {
  const KernelShape& shape = samples.front().problem.kernel;
  const Kernel kernel = parameters.to_kernel(shape);
  double values = 0;
  std::vector<double> sums(parameters.bias.size());
  for (const Sample& sample : samples) {
    Tensor errors(DType::f32, sample.target.shape());
    measure_errors(sample, kernel, threads, errors);
    const ConstTensorRef learned = top_rows(errors.ref(), sample.learned_rows);
    const WeightGradient of_sample = weight_gradient(sample.problem, sample.input.ref(), learned, threads);
    for (std::size_t o = 0; o < sums.size(); ++o) sums[o] += of_sample.bias[o];
    values += static_cast<double>(sample.learned_values() / shape.c_o);
  }
  for (std::size_t o = 0; o < sums.size(); ++o) {
    parameters.bias[o] -= sums[o] / values;
    if (std::fabs(parameters.bias[o]) <= 3 * std::sqrt(variance / values)) parameters.bias[o] = 0;
  }
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
    RoundedParameters result{.parameters = learned, .divisor = divisor, .loss = {}};
    for (double& weight : result.parameters.weights)
      weight = std::nearbyint(weight * divisor) / divisor + 0.0;  // not -0
    if (learns_bias) fit_biases(samples, variance, threads, result.parameters);
    result.loss = measure_loss(samples, result.parameters.to_kernel(samples.front().problem.kernel), threads);
    if (result.loss.learned <= allowed) return result;
  }
  return std::nullopt;
}

}  // namespace convtool
