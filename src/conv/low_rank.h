// Kernels as sums of a few outer products, column times row, which makes a filter separable.
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

/// The most outer products of a kernel. 4 times 63 + 63 taps cost as much as a Fourier transform.
inline constexpr std::size_t kLargestRank = 4;

/// Outer products whose sum replaces the kernel `weights`, [size.h][size.w], in two passes: first along columns, then
/// along rows. A single product consists of floats, for sums in float; several are meant for sums in double. Either way
/// the sums are within (kh * kw + 1) * 2^-24 * sum|x||w| of those of the kernel itself, for any pixels x. If all
/// weights are small multiples of a power of two, the sums are exact wherever those of the kernel are. Empty if there
/// are no such products, or if they are not faster than the kernel itself. The derivation is in low_rank.cpp.
std::vector<OuterProduct> outer_products(const float* weights, const Extent& size);

/// The most by which the sums of these products, taken in float if there is one and else in double, err for any pixels
/// x, in units of 2^-24 * sum|x||w|.
double error_units(const float* weights, const Extent& size, const std::vector<OuterProduct>& products);

/// The number of outer products that sum up to `weights`, which are finite, to within the rounding of floats: the rest
/// is at most (size.h + size.w) * 2^-23 of the largest weight in any entry.
std::int64_t numerical_rank(const float* weights, const Extent& size);

}  // namespace convtool
