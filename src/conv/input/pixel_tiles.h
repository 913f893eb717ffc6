// Which pixels the micro-kernels of `packed` take together, and which taps these see. Internal to conv/.
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

/// Pixels that have the taps (u, v) in `u` times `v`.
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

/// Calls make(begin, end) for each of the fewest parts of [0, count) that are no longer than `most`, nearly equal.
/// `count` is not 0.
template <class Make>
void cut_evenly(std::int64_t count, std::int64_t most, const Make& make) {
  const std::int64_t parts = (count + most - 1) / most, size = count / parts, longer = count % parts;
  for (std::int64_t part = 0, begin = 0; part < parts; ++part) {
    const std::int64_t end = begin + size + (part < longer ? 1 : 0);
    make(begin, end);
    begin = end;
  }
}

/// Cuts blocks of one problem's output into tiles.
class Tiling {
 public:
  /// Tiles have at most `most` pixels, unless these follow each other in a row.
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
