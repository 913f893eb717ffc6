#include "kernels/derivative_formulas.h"

#include <cmath>
#include <cstddef>

namespace convtool {
namespace {

std::vector<double> convolved_with_pair(const std::vector<double>& taps, double first, double second) {
  std::vector<double> result(taps.size() + 1);
  for (std::size_t i = 0; i < taps.size(); ++i) {
    result[i] += taps[i] * first;
    result[i + 1] += taps[i] * second;
  }
  return result;
}

/// The Hermite polynomial He_n of probability theory, by its recurrence (Abramowitz and Stegun, 22.7.14).
double hermite(std::int64_t order, double x) {
  double before = 0, value = 1;
  for (std::int64_t n = 0; n < order; ++n) {
    const double next = x * value - static_cast<double>(n) * before;
    before = value;
    value = next;
  }
  return value;
}

}  // namespace

SampledKernel product(const std::vector<double>& column, const std::vector<double>& row) {
  SampledKernel kernel{.size = {std::ssize(column), std::ssize(row)}, .weights = {}};
  for (const double y : column)
    for (const double x : row) kernel.weights.push_back(y * x);
  return kernel;
}

std::vector<double> derivative_taps(std::int64_t size, std::int64_t order) {
  std::vector<double> taps = {1};
  for (std::int64_t i = 0; i < size - 1 - order; ++i) taps = convolved_with_pair(taps, 1, 1);
  for (std::int64_t i = 0; i < order; ++i) taps = convolved_with_pair(taps, -1, 1);
  return taps;
}

std::vector<double> binomial_taps(std::int64_t size) {
  std::vector<double> taps = {1};
  while (std::ssize(taps) < size) taps = convolved_with_pair(taps, 0.5, 0.5);
  return taps;
}

std::vector<double> gaussian_taps(double sigma, std::int64_t order, std::int64_t size) {
  std::vector<double> taps;
  if (sigma == 0) {  // the limit of narrow ones: all is at the centre, or in equal parts beside it
    taps.resize(static_cast<std::size_t>(size));
    for (const std::int64_t i : {(size - 1) / 2, size / 2}) taps[static_cast<std::size_t>(i)] += 0.5;
    return taps;
  }
  double sum = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    const double x = static_cast<double>(2 * i - (size - 1)) / 2 / sigma, bell = std::exp(-x * x / 2);
    sum += bell;
    // The weights of a correlation: those of the convolution, (-1)^n He_n(x), at -x.
    taps.push_back(hermite(order, x) * bell);
  }
  for (double& tap : taps) tap /= sum * std::pow(sigma, static_cast<double>(order));
  return taps;
}

}  // namespace convtool
