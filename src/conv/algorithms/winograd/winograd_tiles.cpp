#include "conv/algorithms/winograd/winograd_tiles.h"

#include <array>
#include <utility>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/winograd/winograd_tiles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/tile_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Row k of B' times a column of four values: d0 - d2, d1 + d2, d2 - d1, d1 - d3.
template <int k>
HWY_INLINE FloatVector InputRow(FloatVector d0, FloatVector d1, FloatVector d2, FloatVector d3) {
  if constexpr (k == 0) return hn::Sub(d0, d2);
  if constexpr (k == 1) return hn::Add(d1, d2);
  if constexpr (k == 2) return hn::Sub(d2, d1);
  if constexpr (k == 3) return hn::Sub(d1, d3);
}

/// Row `k` of B' d B. The pixels are loaded again for each row, since they do not all fit in sixteen registers.
template <int k>
HWY_INLINE void TransformPixelRow(const float* const (&pixels)[kWinogradInput][kWinogradInput], std::int64_t c,
                                  std::int64_t plane, float* to) {
  const Floats d;
  const auto column = [&](int x) HWY_ATTR {
    return InputRow<k>(hn::LoadU(d, pixels[0][x] + c), hn::LoadU(d, pixels[1][x] + c), hn::LoadU(d, pixels[2][x] + c),
                       hn::LoadU(d, pixels[3][x] + c));
  };
  const FloatVector c0 = column(0), c1 = column(1), c2 = column(2), c3 = column(3);
  hn::StoreU(InputRow<0>(c0, c1, c2, c3), d, to);
  hn::StoreU(InputRow<1>(c0, c1, c2, c3), d, to + plane);
  hn::StoreU(InputRow<2>(c0, c1, c2, c3), d, to + 2 * plane);
  hn::StoreU(InputRow<3>(c0, c1, c2, c3), d, to + 3 * plane);
}

void TransformPixels(const TileRow& from, std::int64_t tiles, std::int64_t channels, const TransformedTiles& to) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  for (std::int64_t t = 0; t < tiles; ++t) {
    const float* pixels[kWinogradInput][kWinogradInput];
    for (std::int64_t y = 0; y < kWinogradInput; ++y) {
      for (std::int64_t x = 0; x < kWinogradInput; ++x) {
        const std::int64_t column = from.columns[t * kWinogradOutput + x];
        pixels[y][x] = from.rows[y] == nullptr || column < 0 ? from.outside : from.rows[y] + column;
      }
    }
    for (std::int64_t c = 0; c < channels; c += lanes) {
      float* values = to.values + t * to.pitch + c;
      TransformPixelRow<0>(pixels, c, to.plane, values);
      TransformPixelRow<1>(pixels, c, to.plane, values + 4 * to.plane);
      TransformPixelRow<2>(pixels, c, to.plane, values + 8 * to.plane);
      TransformPixelRow<3>(pixels, c, to.plane, values + 12 * to.plane);
    }
  }
}

/// The products of kTiles tiles at one value.
template <std::size_t kTiles, std::size_t kVectors>
void MultiplySome(const float* tiles, std::int64_t pitch, std::int64_t channels, const float* weights, float* to,
                  std::int64_t to_pitch) {
  TileSums<kTiles, kVectors> sums;
  sums.AddRun(InRow<const float>{tiles, pitch}, channels, weights);
  sums.Store(InRow<float>{to, to_pitch});
}

using MultiplyFunction = void (*)(const float*, std::int64_t, std::int64_t, const float*, float*, std::int64_t);

/// MultiplySome for 1, 2, ... kMostTilePixels tiles.
template <std::size_t kVectors, std::size_t... T>
constexpr std::array<MultiplyFunction, sizeof...(T)> MultiplyFunctions(std::index_sequence<T...>) {
  return {&MultiplySome<T + 1, kVectors>...};
}

void MultiplyTiles(const TransformedTiles& tiles, std::int64_t count, std::int64_t channels, const float* weights,
                   std::int64_t vectors, const TransformedTiles& to) {
  using Sizes = std::make_index_sequence<kMostTilePixels>;
  static constexpr std::array<MultiplyFunction, kMostTilePixels> kFunctions[2] = {MultiplyFunctions<1>(Sizes()),
                                                                                  MultiplyFunctions<2>(Sizes())};
  const auto& functions = kFunctions[vectors - 1];
  const std::int64_t step = channels * vectors * static_cast<std::int64_t>(hn::Lanes(Floats()));
  for (std::int64_t k = 0; k < kWinogradValues; ++k) {
    cut_evenly(count, static_cast<std::int64_t>(kMostTilePixels), [&](std::int64_t begin, std::int64_t end) {
      functions[static_cast<std::size_t>(end - begin - 1)](tiles.values + k * tiles.plane + begin * tiles.pitch,
                                                           tiles.pitch, channels, weights + k * step,
                                                           to.values + k * to.plane + begin * to.pitch, to.pitch);
    });
  }
}

/// A' times a column of four values: m0 + m1 + m2 and m1 - m2 - m3.
struct OutputPair {
  FloatVector first, second;

  HWY_INLINE OutputPair(FloatVector m0, FloatVector m1, FloatVector m2, FloatVector m3)
      : first(hn::Add(hn::Add(m0, m1), m2)), second(hn::Sub(hn::Sub(m1, m2), m3)) {}
};

void TransformSums(const TransformedTiles& from, std::int64_t vectors, const OutputRows& to) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  SumsLook<Floats> look(d, to.seen);
  const auto put = [&](float* place, FloatVector sums) HWY_ATTR {
    hn::StoreU(sums, d, place);
    look.See(sums);
  };
  for (std::int64_t t = 0; t * kWinogradOutput < to.columns; ++t) {
    const bool has_second = t * kWinogradOutput + 1 < to.columns;
    for (std::int64_t o = 0; o < vectors * lanes; o += lanes) {
      const float* values = from.values + t * from.pitch + o;
      const auto column = [&](std::int64_t x) HWY_ATTR {
        const auto at = [&](std::int64_t y)
                            HWY_ATTR { return hn::LoadU(d, values + (y * kWinogradInput + x) * from.plane); };
        return OutputPair(at(0), at(1), at(2), at(3));
      };
      const OutputPair m0 = column(0), m1 = column(1), m2 = column(2), m3 = column(3);
      const OutputPair top(m0.first, m1.first, m2.first, m3.first);
      float* place = to.rows[0] + t * kWinogradOutput * to.pitch + o;
      put(place, top.first);
      if (has_second) put(place + to.pitch, top.second);
      if (to.rows[1] == nullptr) continue;
      const OutputPair bottom(m0.second, m1.second, m2.second, m3.second);
      place = to.rows[1] + t * kWinogradOutput * to.pitch + o;
      put(place, bottom.first);
      if (has_second) put(place + to.pitch, bottom.second);
    }
  }
  look.Save(to.seen);
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(TransformPixels);
HWY_EXPORT(MultiplyTiles);
HWY_EXPORT(TransformSums);

void transform_pixels(const TileRow& from, std::int64_t tiles, std::int64_t channels, const TransformedTiles& to) {
  HWY_DYNAMIC_DISPATCH(TransformPixels)(from, tiles, channels, to);
}

void multiply_tiles(const TransformedTiles& tiles, std::int64_t count, std::int64_t channels, const float* weights,
                    std::int64_t vectors, const TransformedTiles& to) {
  HWY_DYNAMIC_DISPATCH(MultiplyTiles)(tiles, count, channels, weights, vectors, to);
}

void transform_sums(const TransformedTiles& from, std::int64_t vectors, const OutputRows& to) {
  HWY_DYNAMIC_DISPATCH(TransformSums)(from, vectors, to);
}

}  // namespace convtool
#endif
