// With e = 2^-24 and n taps, a sum of products in float errs by at most n e sum|x||w| (README.md, "Exactness"), and so
// does every algorithm under ConvProblem::direct_error. Rounding the weights to floats adds e sum|x||w|, the epilogue
// 4 e of the same magnitude, and combining sums at most 3 e of the result:
//
//   error <= (n + 8) e max|x| sum|w| / |divisor|  +  4 e |bias|

#include "conv/error_bound.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "conv/engine/weights.h"

namespace convtool {
namespace {

bool is_whole(float value) { return value == std::trunc(value); }

/// Whether every algorithm computes the sums without rounding.
bool sums_are_exact(const ConvProblem& problem, const Kernel& kernel) {
  if (!is_integer(problem.input_dtype) || !is_whole(problem.padding_value)) return false;
  if (std::all_of(kernel.weights.begin(), kernel.weights.end(), is_whole)) return true;
  const std::optional<DyadicWeights> dyadic = dyadic_weights(kernel);
  const double largest =
      std::max(full_range(problem.input_dtype), std::fabs(static_cast<double>(problem.padding_value)));
  return dyadic && dyadic->largest_sum * largest < 0x1p24;
}

/// The bound of one sum channel, after its divisor and bias.
double bound_of_sum(const Kernel& kernel, std::int64_t o, double largest) {
  const std::int64_t taps = kernel.shape.taps();
  double sum = 0;
  for (std::int64_t t = 0; t < taps; ++t) sum += std::fabs(static_cast<double>(kernel.taps(o, 0)[t]));
  const auto at = static_cast<std::size_t>(o);
  const double divisor = kernel.divisor.empty() ? 1 : std::fabs(kernel.divisor[at]);
  return 0x1p-24 * (static_cast<double>(taps + 8) * largest * sum / divisor +
                    4 * std::fabs(static_cast<double>(kernel.bias[at])));
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

double error_bound(const ConvProblem& problem, const Kernel& kernel, const Epilogue& epilogue, double largest) {
  if (sums_are_exact(problem, kernel)) return 0;
  largest = std::max(largest, std::fabs(static_cast<double>(problem.padding_value)));
  double most = 0;
  for (std::int64_t first = 0; first < kernel.shape.c_o; first += epilogue.combine_count) {
    std::vector<double> bounds;
    for (std::int64_t k = 0; k < epilogue.combine_count; ++k)
      bounds.push_back(bound_of_sum(kernel, first + k, largest));
    most = std::max(most, combined(epilogue.combine, bounds));
  }
  return most;
}

}  // namespace convtool
