#include "conv/input/pixel_tiles.h"

#include <algorithm>

#include "core/parallel.h"

namespace convtool {
namespace {

/// Shorter rows are joined in one tile: with fewer pixels per tile, the weights would be read too often for the caches.
constexpr std::int64_t kLeastInRow = 7;
/// With fewer pixels, multiply-adds wait for each other, which costs more than skipping taps saves.
constexpr std::int64_t kLeastPixels = 4;

Range joined(const Range& a, const Range& b) {
  if (a.begin == a.end) return b;
  if (b.begin == b.end) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

}  // namespace

Tiling::Tiling(const ConvProblem& problem, std::int64_t most, TileTaps taps)
    : most_(most), taps_(taps), groups_(taps == TileTaps::all ? TapGroups::all(problem) : TapGroups::inside(problem)) {}

/// The parts of groups within `positions`. Unless taps are exact, groups of fewer than kLeastPixels pixels, at `across`
/// pixels per position, are joined with a neighbour.
std::vector<TapGroup> Tiling::clip(const std::vector<TapGroup>& groups, const Range& positions,
                                   std::int64_t across) const {
  const auto small = [&](const TapGroup& group) {
    return taps_ == TileTaps::needed && group.size() * across < kLeastPixels;
  };
  std::vector<TapGroup> clipped;
  for (const TapGroup& group : groups) {
    const TapGroup part{
        {std::max(group.positions.begin, positions.begin), std::min(group.positions.end, positions.end)}, group.taps};
    if (part.size() <= 0) continue;
    if (!clipped.empty() && (small(clipped.back()) || small(part))) {
      clipped.back().taps = joined(clipped.back().taps, part.taps);
      clipped.back().positions.end = part.positions.end;
    } else {
      clipped.push_back(part);
    }
  }
  return clipped;
}

void Tiling::tile_rows(const TapGroup& rows, const TapGroup& columns, TiledBlock& tiled) const {
  for (std::int64_t i = rows.positions.begin; i < rows.positions.end; ++i) {
    tiled.tiles.push_back(
        {.pixels = columns.size(), .u = rows.taps, .v = columns.taps, .first = {i, columns.positions.begin}});
  }
}

void Tiling::tile_across_rows(const TapGroup& rows, const TapGroup& columns, TiledBlock& tiled) const {
  const auto list = static_cast<std::int64_t>(tiled.places.size());
  for (std::int64_t i = rows.positions.begin; i < rows.positions.end; ++i) {
    for (std::int64_t j = columns.positions.begin; j < columns.positions.end; ++j) tiled.places.push_back({i, j});
  }
  cut_evenly(rows.size() * columns.size(), most_, [&](std::int64_t begin, std::int64_t end) {
    tiled.tiles.push_back({.pixels = end - begin,
                           .u = rows.taps,
                           .v = columns.taps,
                           .first = tiled.places[static_cast<std::size_t>(list + begin)],
                           .list = list + begin});
  });
}

TiledBlock Tiling::tiles(const PixelBlock& block) const {
  TiledBlock tiled;
  for (const TapGroup& columns : clip(groups_.columns, block.columns, block.rows.end - block.rows.begin)) {
    for (const TapGroup& rows : clip(groups_.rows, block.rows, columns.size())) {
      if (columns.size() >= std::min(kLeastInRow, most_) || rows.size() == 1)
        tile_rows(rows, columns, tiled);
      else
        tile_across_rows(rows, columns, tiled);
    }
  }
  return tiled;
}

}  // namespace convtool
