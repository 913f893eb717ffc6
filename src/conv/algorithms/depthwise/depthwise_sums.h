// The row functions of `depthwise`, compiled for every instruction set. Internal to conv/.
#pragma once

#include <cstdint>

#include "conv/engine/seen_sums.h"
#include "conv/padding.h"

namespace convtool {

/// One output row, of some channels. Columns are those of padded input rows.
struct DepthwiseRow {
  const float* const* inputs = nullptr;  ///< [kh]: the row that kernel row u sees, from column `first` on
  std::int64_t first = 0;
  Range there;                     ///< the columns to read; others add nothing
  std::int64_t column = 0;         ///< floats from one column to the next
  const float* weights = nullptr;  ///< [kh][kw][pitch]
  std::int64_t kh = 1, kw = 1;
  std::int64_t stride = 1, dilation = 1;  ///< in columns
  std::int64_t pixels = 1;
  std::int64_t pitch = 0;  ///< channels, rounded up to whole vectors: the distance between the sums of two pixels
};

/// sums[p * pitch + c] = the sum over u, v of weights[u][v][c] * inputs[u][channel c of column p * stride + v *
/// dilation], in this order or by columns within each row, by multiply-adds in float. Unless null, `seen` records them.
void sum_depthwise(const DepthwiseRow& row, float* sums, SeenSums* seen);

/// The same sums, to the bit, of two neighbouring output rows: `row` describes both. The kernel is 3x3 without
/// dilation, and the stride, 1 or 2, that of rows and columns. `row.inputs` are the stride + 3 rows that they see; a
/// null one adds nothing.
void sum_depthwise_pair(const DepthwiseRow& row, float* top, float* bottom, SeenSums* seen);

}  // namespace convtool
