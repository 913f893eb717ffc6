// With e = 2^-24 and n = Offer::error_units, a sum errs by at most n e max|x| sum|w|. Rounding the weights to floats
// adds 1 e of that magnitude, the epilogue 4 e, and combining K sums K + 2 e of the result. A product that underflows
// errs by 2^-149 at most:
//
//   error <= ((n + 7 + K) e max|x| sum|w| + taps 2^-149) / |divisor|  +  4 e |bias|
//
// An activation multiplies the error of its argument by its steepest slope at most. One with a curve adds 2^-50 of its
// result (conv/activation.h), which is at most 1 or, for silu and hardswish, its argument.

#include "conv/error_bound.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "conv/engine/weights.h"

namespace convtool {
namespace {

bool is_whole(float value) { return value == std::trunc(value); }

/// sum|w| of a sum channel.
double absolute_sum(const Kernel& kernel, std::int64_t o) {
  double sum = 0;
  for (std::int64_t t = 0; t < kernel.shape.taps(); ++t) sum += std::fabs(static_cast<double>(kernel.taps(o, 0)[t]));
  return sum;
}

double largest_sum(const Kernel& kernel) {
  double most = 0;
  for (std::int64_t o = 0; o < kernel.shape.c_o; ++o) most = std::max(most, absolute_sum(kernel, o));
  return most;
}

/// Whether every algorithm computes the sums without rounding.
bool sums_are_exact(const ConvProblem& problem, const Kernel& kernel) {
  if (!is_integer(problem.input_dtype) || !is_whole(problem.padding_value)) return false;
  const double largest =
      std::max(full_range(problem.input_dtype), std::fabs(static_cast<double>(problem.padding_value)));
  if (std::all_of(kernel.weights.begin(), kernel.weights.end(), is_whole))
    return largest_sum(kernel) * largest < 0x1p53;  // above 2^24, sums are taken in double
  const std::optional<DyadicWeights> dyadic = dyadic_weights(kernel);
  return dyadic && dyadic->largest_sum * largest < 0x1p24;
}

/// The bound of one sum channel, after its divisor and bias.
double bound_of_sum(const Kernel& kernel, std::int64_t o, double units, double largest) {
  const auto at = static_cast<std::size_t>(o);
  const double divisor = kernel.divisor.empty() ? 1 : std::fabs(kernel.divisor[at]);
  const double underflow = static_cast<double>(kernel.shape.taps()) * 0x1p-149;
  return (units * 0x1p-24 * largest * absolute_sum(kernel, o) + underflow) / divisor +
         4 * 0x1p-24 * std::fabs(static_cast<double>(kernel.bias[at]));
}

/// The bound of one sum channel after the activation, where its argument errs by at most `argument`.
double activated_bound(const Kernel& kernel, std::int64_t o, const Epilogue& epilogue, double largest,
                       double argument) {
  double bound = steepest_slope(epilogue.activation, epilogue.numbers) * argument;
  if (!is_curved(epilogue.activation)) return bound;
  const auto at = static_cast<std::size_t>(o);
  const double divisor = kernel.divisor.empty() ? 1 : std::fabs(kernel.divisor[at]);
  const double value = largest * absolute_sum(kernel, o) / divisor + std::fabs(static_cast<double>(kernel.bias[at]));
  return bound + 0x1p-50 * std::max(1.0, value);
}

double combined(Combine combine, const std::vector<double>& bounds) {
  double sum = 0, squares = 0;
  for (const double bound : bounds) {
    sum += bound;
    squares += bound * bound;
  }
  switch (combine) {
    case Combine::magnitude: return std::sqrt(squares);
    case Combine::l1:
    case Combine::sum: return sum;
    case Combine::mean: return sum / static_cast<double>(bounds.size());
    case Combine::none:
    case Combine::max:
    case Combine::min: break;
  }
  return *std::max_element(bounds.begin(), bounds.end());
}

}  // namespace

double error_bound(const ConvProblem& problem, const Kernel& kernel, const Epilogue& epilogue, double error_units,
                   double largest) {
  const bool is_exact = sums_are_exact(problem, kernel);
  if (is_exact && !is_curved(epilogue.activation)) return 0;
  const double units = error_units + 7 + static_cast<double>(epilogue.combine_count);
  double most = 0;
  for (std::int64_t first = 0; first < kernel.shape.c_o; first += epilogue.combine_count) {
    std::vector<double> bounds;
    for (std::int64_t k = 0; k < epilogue.combine_count; ++k)
      bounds.push_back(activated_bound(kernel, first + k, epilogue, largest,
                                       is_exact ? 0 : bound_of_sum(kernel, first + k, units, largest)));
    most = std::max(most, combined(epilogue.combine, bounds));
  }
  return most;
}

}  // namespace convtool
