#include "conv/algorithms/packed/packed_sums.h"

#include <array>
#include <utility>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/packed/packed_sums.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/pixel_sums-inl.h"
#include "conv/engine/tile_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

std::int64_t MostTilePixels() { return kMostTilePixels; }

/// The pixels of a tile, listed one by one where those of InRow are at equal distances. (With an array of pointers in
/// both cases, GCC 12 keeps the pointers in vectors.)
struct Listed {
  const float* const* windows;
  std::int64_t offset;

  HWY_INLINE const float* operator[](std::size_t p) const { return windows[p] + offset; }
};
struct ListedRows {
  float* sums;
  const std::int64_t* rows;
  std::int64_t pitch;

  HWY_INLINE float* operator[](std::size_t p) const { return sums + rows[p] * pitch; }
};

template <class Sums>
HWY_INLINE void Show(const Sums& sums, SeenSums* seen) {
  if (seen == nullptr) return;
  FloatsLook look(PixelFloats(), *seen);
  sums.Show(look);
  look.Save(*seen);
}

/// SumTile for pixels in a row that are as far apart as the taps, and one vector of outputs. Three taps share a
/// broadcast float, which would otherwise serve a single multiply-add. Sums in the order u, c, v.
template <std::size_t kPixels>
void SumNarrowTile(const PlacedTile& placed, std::int64_t first, const PackedWeights& block, const PackedSums& to) {
  const PixelTile& tile = *placed.tile;
  const auto width = static_cast<std::int64_t>(hn::Lanes(Floats()));
  const std::int64_t weight_step = block.channels * width, kw = tile.v.end - tile.v.begin;
  PixelSums<static_cast<int>(kPixels)> tile_sums;
  for (std::int64_t u = tile.u.begin; u < tile.u.end; ++u) {
    const float* inputs = placed.windows[u - tile.u.begin] + first * placed.step + block.first_channel;
    const float* weights = block.weights + (u * block.kw + tile.v.begin) * weight_step;
    for (std::int64_t c = 0; c < block.channels; ++c, ++inputs, weights += width) {
      std::int64_t v = 0;
      for (; v + 3 <= kw; v += 3)
        tile_sums.template AddTaps<Broadcast, 1, 3>(inputs, v * block.step, block.step, weights + v * weight_step,
                                                    weight_step);
      for (; v < kw; ++v)
        tile_sums.template AddTaps<Broadcast, 1, 1>(inputs, v * block.step, block.step, weights + v * weight_step, 0);
    }
  }
  tile_sums.Store(to.sums + (placed.rows[0] + first) * to.pitch, to.pitch);
  Show(tile_sums, to.seen);
}

/// Sums kPixels pixels of a tile, from `first` on.
template <std::size_t kPixels, std::size_t kVectors, bool kInRow>
void SumTile(const PlacedTile& placed, std::int64_t first, const PackedWeights& block, const PackedSums& to) {
  if constexpr (kInRow && kVectors == 1)
    if (placed.step == block.step) return SumNarrowTile<kPixels>(placed, first, block, to);
  const PixelTile& tile = *placed.tile;
  const auto width = static_cast<std::int64_t>(kVectors * hn::Lanes(Floats()));
  const bool one_run = block.step == block.channels;  // the columns of a row of taps lie side by side
  const std::int64_t runs = one_run ? 1 : tile.v.end - tile.v.begin;
  const std::int64_t length = one_run ? (tile.v.end - tile.v.begin) * block.channels : block.channels;
  const float* const* windows = placed.windows;
  TileSums<kPixels, kVectors> tile_sums;
  for (std::int64_t u = tile.u.begin; u < tile.u.end; ++u, windows += kInRow ? 1 : kPixels) {
    for (std::int64_t run = 0; run < runs; ++run) {
      const std::int64_t offset = run * block.step + block.first_channel;
      const float* weights = block.weights + (u * block.kw + tile.v.begin + run) * block.channels * width;
      if constexpr (kInRow)
        tile_sums.AddRun(InRow<const float>{windows[0] + first * placed.step + offset, placed.step}, length, weights);
      else
        tile_sums.AddRun(Listed{windows, offset}, length, weights);
    }
  }
  if constexpr (kInRow)
    tile_sums.Store(InRow<float>{to.sums + (placed.rows[0] + first) * to.pitch, to.pitch});
  else
    tile_sums.Store(ListedRows{to.sums, placed.rows, to.pitch});
  Show(tile_sums, to.seen);
}

using SumTileFunction = void (*)(const PlacedTile&, std::int64_t, const PackedWeights&, const PackedSums&);

/// SumTile for 1, 2, ... kMostTilePixels pixels.
template <std::size_t kVectors, bool kInRow, std::size_t... P>
constexpr std::array<SumTileFunction, sizeof...(P)> SumTileFunctions(std::index_sequence<P...>) {
  return {&SumTile<P + 1, kVectors, kInRow>...};
}

void SumTiles(const PlacedTile* tiles, std::int64_t count, const PackedWeights& block, const PackedSums& to) {
  using Sizes = std::make_index_sequence<kMostTilePixels>;
  static constexpr std::array<SumTileFunction, kMostTilePixels> kFunctions[2][2] = {
      // [in a row][vectors - 1]
      {SumTileFunctions<1, false>(Sizes()), SumTileFunctions<2, false>(Sizes())},
      {SumTileFunctions<1, true>(Sizes()), SumTileFunctions<2, true>(Sizes())}};
  for (std::int64_t t = 0; t < count; ++t) {
    const PixelTile& tile = *tiles[t].tile;
    const auto& functions = kFunctions[tile.list < 0][block.vectors - 1];
    cut_evenly(tile.pixels, kMostTilePixels, [&](std::int64_t begin, std::int64_t end) {
      functions[static_cast<std::size_t>(end - begin - 1)](tiles[t], begin, block, to);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(SumTiles);
HWY_EXPORT(MostTilePixels);

void sum_tiles(const PlacedTile* tiles, std::int64_t count, const PackedWeights& block, const PackedSums& to) {
  HWY_DYNAMIC_DISPATCH(SumTiles)(tiles, count, block, to);
}

std::int64_t most_tile_pixels() { return HWY_DYNAMIC_DISPATCH(MostTilePixels)(); }

}  // namespace convtool
#endif
