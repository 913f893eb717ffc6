// Chooses the pixels that the micro-kernels of `packed` sum together, and the taps of these pixels. Internal to conv/.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/input/tap_groups.h"
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

/// An output pixel.
struct PixelPlace {
  std::int64_t i = 0, j = 0;
};

/// Pixels with the taps (u, v) for all u in `u` and v in `v`.
struct PixelTile {
  std::int64_t pixels = 0;
  Range u, v;
  PixelPlace first;        ///< the others follow it in its row, unless `list` is set
  std::int64_t list = -1;  ///< if not -1, the pixels are [list, list + pixels) of TiledBlock::places
};

/// The pixels of a block, each in one tile.
struct TiledBlock {
  std::vector<PixelTile> tiles;
  std::vector<PixelPlace> places;
  std::vector<TapGroup> rows, columns;  ///< the parts of groups within the block, while it is cut
};

/// The taps of a tile.
enum class TileTaps {
  all,
  needed,  ///< those inside the picture for any of its pixels; more where the tile would be too small
  exact,   ///< those inside the picture, which are the same for all of its pixels
};

/// Cuts blocks of one problem's output into tiles.
class Tiling {
 public:
  /// Tiles have at most `most` pixels, unless these follow each other in a row.
  Tiling(const ConvProblem& problem, std::int64_t most, TileTaps taps);

  /// With room for any block of this many pixels. Throws std::bad_alloc.
  TiledBlock room_for(std::int64_t pixels) const;

  /// Cuts a block. `tiled` comes from room_for(), so nothing is allocated.
  void cut(const PixelBlock& block, TiledBlock& tiled) const;

 private:
  void clip(const std::vector<TapGroup>& groups, const Range& positions, std::int64_t across,
            std::vector<TapGroup>& clipped) const;
  void tile_rows(const TapGroup& rows, const TapGroup& columns, TiledBlock& tiled) const;
  void tile_across_rows(const TapGroup& rows, const TapGroup& columns, TiledBlock& tiled) const;

  const std::int64_t most_;
  const TileTaps taps_;
  const TapGroups groups_;
};

}  // namespace convtool
