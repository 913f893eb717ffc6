// Kernels as sums of few outer products, column times row: what makes a filter separable.
#pragma once

#include <cstddef>
#include <vector>

#include "conv/problem.h"

namespace convtool {

/// One outer product: column[u] * row[v]. The absolute values of a column add up to less than 1/2, so that weighted
/// sums of a picture's column are never larger than its pixels.
struct OuterProduct {
  std::vector<double> column;  ///< kh
  std::vector<double> row;     ///< kw
};

/// No kernel is made of more outer products than this. 4 of 63 + 63 taps cost what a transform costs.
inline constexpr std::size_t kLargestRank = 4;

/// Outer products whose sum stands for the kernel `weights`, [size.h][size.w], in two passes, first along columns,
/// then along rows. A single product consists of floats, for sums in float; several are meant for sums in double. In
/// either case the sums are within (kh * kw + 1) * 2^-24 * sum|x||w| of those of the kernel itself, whatever the
/// pixels x are, or, when all weights are small multiples of a power of two, exact wherever the kernel's own are.
/// Empty when there are none, or none that would be faster than the kernel itself. The derivation is in low_rank.cpp.
std::vector<OuterProduct> outer_products(const float* weights, const Extent& size);

/// The number of outer products that sum up to `weights`, finite, but for what is left of rounding them to float: no
/// more than (size.h + size.w) * 2^-23 of the largest in any entry.
std::int64_t numerical_rank(const float* weights, const Extent& size);

}  // namespace convtool
