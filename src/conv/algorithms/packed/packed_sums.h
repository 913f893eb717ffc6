// The micro-kernels of `packed`, compiled for every instruction set. Internal to conv/.
#pragma once

#include <cstdint>

#include "conv/engine/seen_sums.h"
#include "conv/input/pixel_tiles.h"

namespace convtool {

/// The weights of one channel block: weights[((u * kw + v) * channels + c) * width + o] belongs to tap (u, v), input
/// channel c and the block's output o, where width is `vectors` times float_lanes(). Tap (u, v) reads `channels` floats
/// from window + (v - v.begin) * step + first_channel on.
struct PackedWeights {
  const float* weights = nullptr;
  std::int64_t vectors = 1;  ///< 1 or 2
  std::int64_t kw = 1, channels = 1, step = 1, first_channel = 0;
};

/// A tile and where its pixels read and write. Pixels in a row need only the entries of the first.
struct PlacedTile {
  const PixelTile* tile = nullptr;
  const float* const* windows = nullptr;  ///< [u.end - u.begin][pixels or 1]: the pixel that tap (u, v.begin) sees
  std::int64_t step = 0;                  ///< in a row: floats from one pixel's window to the next
  const std::int64_t* rows = nullptr;     ///< [pixels or 1]: the row of `sums` for the pixel
};

/// Where to store sums.
struct PackedSums {
  float* sums = nullptr;
  std::int64_t pitch = 0;    ///< from one row to the next
  SeenSums* seen = nullptr;  ///< unless null, records all sums of the block's width
};

/// to.sums[row of p * to.pitch + o] = the sum of the block's output o at pixel p of each tile, for o < width, in the
/// order u, v, c or u, c, v, by multiply-adds in float.
void sum_tiles(const PlacedTile* tiles, std::int64_t count, const PackedWeights& block, const PackedSums& to);

/// The most pixels of a tile whose pixels are not in a row. The registers have to hold their sums at once.
std::int64_t most_tile_pixels();

}  // namespace convtool
