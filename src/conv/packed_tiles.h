// Which pixels the micro-kernels of `packed` take together, and which taps these see. Internal to conv/.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/padding.h"
#include "conv/problem.h"

namespace convtool {

/// Output rows [rows.begin, rows.end) and columns [columns.begin, columns.end) of one batch item.
struct PixelBlock {
  std::int64_t n = 0;
  Range rows, columns;

  std::int64_t width() const { return columns.end - columns.begin; }
  std::int64_t pixels() const { return (rows.end - rows.begin) * width(); }
};

/// Pixels that are summed together, in registers, over the taps (u, v) in `u` times `v`.
struct PixelTile {
  std::int64_t pixels = 0;
  Range u, v;
  std::int64_t first = 0;  ///< its pixels are [first, first + pixels) of TiledBlock::order
};

/// The pixels of a block, each in one tile.
struct TiledBlock {
  std::vector<PixelTile> tiles;
  std::vector<std::int64_t> order;  ///< row-major indices within the block
};

/// Cuts a block into tiles of at most `most` pixels. With `skip_outside` pixels are grouped by the taps that fall
/// inside the picture, and each tile has only those that one of its pixels needs; else all tiles have all taps.
TiledBlock make_tiles(const ConvProblem& problem, const PixelBlock& block, std::int64_t most, bool skip_outside);

}  // namespace convtool
