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

/// Writes the parts of groups within `positions` to `clipped`. Unless taps are exact, groups of fewer than kLeastPixels
/// pixels, at `across` pixels per position, are joined with a neighbour.
void Tiling::clip(const std::vector<TapGroup>& groups, const Range& positions, std::int64_t across,
                  std::vector<TapGroup>& clipped) const {
  const auto small = [&](const TapGroup& group) {
    return taps_ == TileTaps::needed && group.size() * across < kLeastPixels;
  };
  clipped.clear();
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

TiledBlock Tiling::room_for(std::int64_t pixels) const {
  TiledBlock tiled;
  tiled.tiles.reserve(static_cast<std::size_t>(pixels));
  tiled.places.reserve(static_cast<std::size_t>(pixels));
  tiled.rows.reserve(groups_.rows.size());
  tiled.columns.reserve(groups_.columns.size());
  return tiled;
}

void Tiling::cut(const PixelBlock& block, TiledBlock& tiled) const {
  tiled.tiles.clear();
  tiled.places.clear();
  clip(groups_.columns, block.columns, block.rows.end - block.rows.begin, tiled.columns);
  for (const TapGroup& columns : tiled.columns) {
    clip(groups_.rows, block.rows, columns.size(), tiled.rows);
    for (const TapGroup& rows : tiled.rows) {
      if (columns.size() >= std::min(kLeastInRow, most_) || rows.size() == 1)
        tile_rows(rows, columns, tiled);
      else
        tile_across_rows(rows, columns, tiled);
    }
  }
}

}  // namespace convtool
