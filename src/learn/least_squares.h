// The weights of least squared error, found exactly by the normal equations (C. F. Gauss, Theoria combinationis, 1823)
//
//   (A^T A + ridge) w = A^T y
//
// with A as in conv/gradients/tap_products.h. Its sums are in double, and exact for integer pictures. Forming A^T A
// squares the condition of A, but weights are only needed to 2^-24, and double has 2^-53.
#pragma once

#include <cstdint>
#include <span>

#include "learn/parameters.h"
#include "learn/sample.h"

namespace convtool {

struct LeastSquaresOptions {
  /// Adds ridge times the sum of squared weights, without biases, to the loss (A. Hoerl and R. Kennard, Ridge
  /// regression, 1970). It is added to the diagonal of A^T A.
  double ridge = 0;
  bool learns_bias = false;
  int threads = 0;
};

struct LeastSquares {
  Parameters parameters;
  std::int64_t columns = 0;  ///< unknowns of an output channel, summed over groups
  std::int64_t rank = 0;     ///< the number of unknowns that the input determines
};

/// The most unknowns of an output channel: memory grows with their square.
inline constexpr std::int64_t kMostColumns = 4096;

/// The parameters with the least loss over the training rows. Where the input does not determine them (rank < columns),
/// these are the ones with the least sum of squares. A combination of parameters that changes the outputs so little
/// that its square is lost in double counts as undetermined. Throws Error(shape) for more than kMostColumns unknowns,
/// and for fewer where finding the least sum of squares would take minutes; std::bad_alloc.
LeastSquares solve_least_squares(std::span<const Sample> samples, const LeastSquaresOptions& options);

}  // namespace convtool
