// The micro-kernels of `packed`, compiled for every instruction set. Internal to conv/; the texts are packed-inl.h's.
#pragma once

#include <cstdint>

#include "conv/packed_tiles.h"

namespace convtool {

/// How one panel's taps lie: those of column v of a row of the kernel are `channels` floats from a pixel's window
/// + v * step + first_channel on. weights[((u * kw + v) * channels + c) * width + o] is the weight of the panel's
/// output o, where width is `vectors` times float_lanes().
struct PackedPanel {
  const float* weights = nullptr;
  std::int64_t vectors = 1;  ///< 1 or 2
  std::int64_t kw = 1, channels = 1, step = 1, first_channel = 0;
};

/// A tile and where its pixels read and write.
struct PlacedTile {
  const PixelTile* tile = nullptr;
  const float* const* windows = nullptr;  ///< [kh][pixels]: what tap (u, 0) sees
  const std::int64_t* order = nullptr;    ///< [pixels]
};

/// sums[order[p] * pitch + o] = the sum of a panel's output o at pixel p of each tile, for all o of the panel's width,
/// in the order u, v, c, by multiply-adds in float.
void sum_panel(const PlacedTile* tiles, std::int64_t count, const PackedPanel& panel, float* sums, std::int64_t pitch);

/// The most pixels of a tile.
std::int64_t most_tile_pixels();

}  // namespace convtool
