// What the taps of a layer see, multiplied with another tensor and with each other: the sums that gradients and least
// squares are made of.
//
// For one group of a layer let A be the matrix with a row for each output position (n, i, j) and a column for each tap
// (c, u, v) of an output channel, which holds the pixel that the tap sees there (the x of the formula in problem.h),
// and one more column of ones, for the bias. Then the layer's sums are A times its weights, and
//
//   with_values = A^T Y     Y: a row for each output position, a column for each output channel of the group
//   with_taps   = A^T A     the Gram matrix
//
// A is im2col, and is never put together: its columns are rows of the padded input, read where they lie.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// Sums over output positions, for each group. Row-major.
struct TapProducts {
  std::int64_t taps = 0;            ///< columns of A: c_i/groups * kh * kw in nn.Conv2d's order, and the one of ones
  std::int64_t outputs = 0;         ///< output channels of a group
  std::vector<double> with_values;  ///< [groups][taps][outputs]
  std::vector<double> with_taps;    ///< [groups][taps][taps], or empty
};

/// A^T Y alone, for gradients. `values` is f32, has the problem's output shape, any strides, and may have fewer rows:
/// what is below counts nothing. Of each block of at most 1024 positions products are added up in float, blocks in
/// double: within 1030 * 2^-24 * sum|x||y| at worst, and where rows are long, in vectors of L floats, within about
/// 1024/L. Bit for bit the same for any number of threads (0: as many as cores). Throws std::bad_alloc.
TapProducts products_with_values(const ConvProblem& problem, const ConstTensorRef& input, const ConstTensorRef& values,
                                 int threads);

/// Both, for least squares. In double: every product is exact, and so is a sum of integers below 2^53. Otherwise as
/// products_with_values().
TapProducts products_with_taps(const ConvProblem& problem, const ConstTensorRef& input, const ConstTensorRef& values,
                               int threads);

}  // namespace convtool
