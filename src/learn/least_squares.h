// The weights of least squared error, exactly: by the normal equations (C. F. Gauss, Theoria combinationis, 1823)
//
//   (A^T A + ridge) w = A^T y
//
// with A as in conv/gradients/tap_products.h, whose sums are taken in double: for pictures of integers they are exact.
// Forming A^T A squares A's condition, which the 2^-53 of double leaves room for: weights are wanted to 2^-24.
#pragma once

#include <cstdint>
#include <span>

#include "learn/parameters.h"
#include "learn/sample.h"

namespace convtool {

struct LeastSquaresOptions {
  /// Added to the diagonal for each weight, but no bias: the loss grows by ridge times the sum of squared weights (A.
  /// Hoerl and R. Kennard, Ridge regression, 1970).
  double ridge = 0;
  bool learns_bias = false;
  int threads = 0;
};

struct LeastSquares {
  Parameters parameters;
  std::int64_t columns = 0;  ///< unknowns of an output channel, over all groups
  std::int64_t rank = 0;     ///< how many of them the input determines
};

/// Unknowns of an output channel, at most: their square is kept, several times.
inline constexpr std::int64_t kMostColumns = 4096;

/// The parameters of least loss over the rows that are learned from, and of those, where the input does not determine
/// them (rank < columns), the ones whose squares have the least sum. What varies the outputs so little that its square
/// is lost in double counts as not determined. Throws Error(shape) for more than kMostColumns, and for less where the
/// smallest would take minutes to find; std::bad_alloc.
LeastSquares solve_least_squares(std::span<const Sample> samples, const LeastSquaresOptions& options);

}  // namespace convtool
