// The two passes of separable over a picture, block by block and tile by tile (separable.cpp).
#pragma once

#include <cstdint>
#include <vector>

#include "conv/kernel.h"
#include "conv/low_rank.h"
#include "conv/padding.h"
#include "conv/problem.h"
#include "conv/sink.h"
#include "core/work_share.h"

namespace convtool {

/// The weights of one sum channel, as the passes take them.
template <class T>
struct Factors {
  std::int64_t terms;
  std::vector<T> rows, columns;              // [terms][kw], [terms][kh]
  bool box_row = false, box_column = false;  // one term of equal weights

  explicit Factors(const std::vector<OuterProduct>& products);
};

/// Columns that a window of the kernel covers.
inline std::int64_t window_width(const ConvProblem& problem) {
  return dilated_kernel(problem.kernel, problem.dilation).w;
}

/// How a picture is cut, in output pixels of `channels` columns each. A slice is computed from top to bottom, in blocks
/// of rows, and each block from left to right, in tiles.
struct SeparableTiling {
  std::int64_t block, slice, tile;

  SeparableTiling(const ConvProblem& problem, std::int64_t channels);

  /// Input columns that a tile sees.
  std::int64_t tile_sees(const ConvProblem& problem) const;
};

/// Computes the blocks of `share` of `input`, counted down a slice, then through the slices, then through the batch.
/// The input is the picture as it is, or its flat view with `pixel` columns per pixel. `factors` has one entry for each
/// sum channel, or one for all. Sums are of type T.
template <class T>
void run_passes(const ConvProblem& problem, const Kernel& kernel, const std::vector<Factors<T>>& factors,
                const SeparableTiling& tiling, const ConstTensorRef& input, std::int64_t pixel, const Sink& sink,
                WorkShare& share, ResponseStats& stats);

}  // namespace convtool
