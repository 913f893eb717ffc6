// The micro-kernels of `packed`, compiled for every instruction set. Internal to conv/; the texts are packed-inl.h's.
#pragma once

#include <cstdint>

#include "conv/engine/seen_sums.h"
#include "conv/input/pixel_tiles.h"

namespace convtool {

/// How one panel's taps lie: those of column v of a row of the kernel meet the `channels` floats from window
/// + (v - v.begin) * step + first_channel on. weights[((u * kw + v) * channels + c) * width + o] is the weight of the
/// panel's output o, where width is `vectors` times float_lanes().
struct PackedPanel {
  const float* weights = nullptr;
  std::int64_t vectors = 1;  ///< 1 or 2
  std::int64_t kw = 1, channels = 1, step = 1, first_channel = 0;
};

/// A tile and where its pixels read and write. Where these are in a row, what belongs to the first stands for all.
struct PlacedTile {
  const PixelTile* tile = nullptr;
  const float* const* windows = nullptr;  ///< [u.end - u.begin][pixels or 1]: what tap (u, v.begin) sees
  std::int64_t step = 0;                  ///< in a row: floats from one pixel's window to the next
  const std::int64_t* rows = nullptr;     ///< [pixels or 1]: the row of `sums` that is the pixel's
};

/// Where sums go.
struct PackedSums {
  float* sums = nullptr;
  std::int64_t pitch = 0;    ///< from one row to the next
  SeenSums* seen = nullptr;  ///< sees all of the panel's width; null: nothing is looked at
};

/// to.sums[row of p * to.pitch + o] = the sum of a panel's output o at pixel p of each tile, for all o of the panel's
/// width, in the order u, v, c or u, c, v, by multiply-adds in float.
void sum_panel(const PlacedTile* tiles, std::int64_t count, const PackedPanel& panel, const PackedSums& to);

/// The most pixels of a tile that are not in a row, and so many others that registers take at once.
std::int64_t most_tile_pixels();

}  // namespace convtool
