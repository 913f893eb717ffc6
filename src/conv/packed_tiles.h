// Which pixels the micro-kernels of `packed` take together, and which taps these see. Internal to conv/.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/padding.h"
#include "conv/problem.h"
#include "conv/tap_groups.h"

namespace convtool {

/// Output rows [rows.begin, rows.end) and columns [columns.begin, columns.end) of one batch item.
struct PixelBlock {
  std::int64_t n = 0;
  Range rows, columns;

  std::int64_t width() const { return columns.end - columns.begin; }
  std::int64_t pixels() const { return (rows.end - rows.begin) * width(); }
};

/// An output pixel.
struct PixelPlace {
  std::int64_t i = 0, j = 0;
};

/// Pixels that are summed together, in registers, over the taps (u, v) in `u` times `v`.
struct PixelTile {
  std::int64_t pixels = 0;
  Range u, v;
  PixelPlace first;        ///< the others follow in its row, unless `list` says where they are
  std::int64_t list = -1;  ///< or: they are [list, list + pixels) of TiledBlock::places
};

/// The pixels of a block, each in one tile.
struct TiledBlock {
  std::vector<PixelTile> tiles;
  std::vector<PixelPlace> places;
};

/// Which taps a tile has.
enum class TileTaps {
  all,
  needed,  ///< those that fall inside the picture for one of its pixels, and no more unless a tile would be too small
  exact,   ///< those that fall inside the picture, which are the same for all of its pixels
};

/// Cuts blocks of one problem's output into tiles.
class Tiling {
 public:
  /// Tiles have at most `most` pixels.
  Tiling(const ConvProblem& problem, std::int64_t most, TileTaps taps);

  TiledBlock tiles(const PixelBlock& block) const;

 private:
  std::vector<TapGroup> clip(const std::vector<TapGroup>& groups, const Range& positions, std::int64_t across) const;
  void tile_rows(const TapGroup& rows, const TapGroup& columns, TiledBlock& tiled) const;
  void tile_across_rows(const TapGroup& rows, const TapGroup& columns, TiledBlock& tiled) const;

  const std::int64_t most_;
  const TileTaps taps_;
  const TapGroups groups_;
};

}  // namespace convtool
