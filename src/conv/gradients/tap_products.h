// Products of the pixels that a layer's taps see, with each other and with the desired output: the sums that least
// squares needs.
//
// For one group of a layer let A be the matrix with a row for each output position (n, i, j) and a column for each tap
// (c, u, v) of an output channel, whose entries are the pixels that the tap sees there (the x of the formula in
// problem.h), and one more column of ones, for the bias. Then the layer's sums are A times its weights, and
//
//   with_values = A^T Y     Y: a row for each output position, a column for each output channel of the group
//   with_taps   = A^T A     the Gram matrix
//
// A is im2col, and is never built: its columns are rows of the padded input, read in place.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// Sums over output positions, for each group. Row-major.
struct TapProducts {
  std::int64_t taps = 0;            ///< columns of A: c_i/groups * kh * kw in nn.Conv2d's order, and the column of ones
  std::int64_t outputs = 0;         ///< output channels of a group
  std::vector<double> with_values;  ///< [groups][taps][outputs]
  std::vector<double> with_taps;    ///< [groups][taps][taps]
};

/// `values` is f32 with the problem's output shape and any strides. It may have fewer rows; outputs below them are
/// ignored. Sums are taken in double: every product is exact, and so is a sum of integers below 2^53. The result has
/// the same bits for any number of threads (0: one per core). Throws std::bad_alloc.
TapProducts tap_products(const ConvProblem& problem, const ConstTensorRef& input, const ConstTensorRef& values,
                         int threads);

}  // namespace convtool
