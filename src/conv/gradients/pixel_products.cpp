#include "conv/gradients/pixel_products.h"

#include <array>
#include <utility>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/gradients/pixel_products.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/registers-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The most vectors of outputs that fit in registers and, for each number of them, the most taps. One register is for a
/// tap, the others are for outputs and sums.
constexpr std::size_t kMostVectors = kVectorRegisters / 8;
constexpr std::size_t kMostTaps[2][4] = {{8, 6}, {12, 12, 8, 6}};  // of 16 registers, of 32

std::int64_t MostPixelOutputs() {
  return static_cast<std::int64_t>(kMostVectors * hn::Lanes(hn::ScalableTag<float>()));
}

/// One tap's float times all outputs of a pixel, added to its sums. Indices are constants, by fold expressions, so that
/// compilers keep every sum in a register.
template <class V, std::size_t... I>
HWY_INLINE void AddTap(V tap, const V* outputs, V* sums, std::index_sequence<I...>) {
  ((sums[I] = hn::MulAdd(tap, outputs[I], sums[I])), ...);
}

template <class D, std::size_t kVectors, std::size_t... T>
HWY_INLINE void AddPixel(D d, const float* const* taps, std::int64_t at, const float* pixel, hn::Vec<D>* sums,
                         std::index_sequence<T...>) {
  hn::Vec<D> outputs[kVectors];
  for (std::size_t i = 0; i < kVectors; ++i) outputs[i] = hn::Load(d, pixel + i * hn::Lanes(d));
  (AddTap(hn::Set(d, taps[T][at]), outputs, sums + T * kVectors, std::make_index_sequence<kVectors>()), ...);
}

/// Adds the first `count` of a vector to doubles.
template <class D>
HWY_INLINE void AddToDoubles([[maybe_unused]] D d, hn::Vec<D> floats, std::int64_t count, double* sums) {
#if HWY_TARGET != HWY_SCALAR
  if (count < static_cast<std::int64_t>(hn::Lanes(d))) {
    HWY_ALIGN float row[hn::MaxLanes(d)];
    hn::Store(floats, d, row);
    for (std::int64_t o = 0; o < count; ++o) sums[o] += static_cast<double>(row[o]);
    return;
  }
  const hn::Half<D> half;
  const hn::Rebind<double, hn::Half<D>> doubles;
  const auto low = hn::PromoteTo(doubles, hn::LowerHalf(half, floats));
  const auto high = hn::PromoteTo(doubles, hn::UpperHalf(half, floats));
  hn::StoreU(hn::Add(hn::LoadU(doubles, sums), low), doubles, sums);
  double* above = sums + hn::Lanes(half);
  hn::StoreU(hn::Add(hn::LoadU(doubles, above), high), doubles, above);
#else
  if (count > 0) *sums += static_cast<double>(hn::GetLane(floats));
#endif
}

template <std::size_t kVectors, std::size_t kTaps>
void AddPixelTile(const RowLists& taps, const PixelRows& pixels, std::int64_t height, std::int64_t width, double* sums,
                  std::int64_t pitch) {
  const hn::ScalableTag<float> d;
  hn::Vec<decltype(d)> totals[kTaps * kVectors];
  for (auto& total : totals) total = hn::Zero(d);
  for (std::int64_t i = 0; i < height; ++i) {
    const float* lists[kTaps];
    for (std::size_t t = 0; t < kTaps; ++t) lists[t] = taps.rows[i * taps.pitch + static_cast<std::int64_t>(t)];
    const float* pixel = pixels.rows[i];
    for (std::int64_t j = 0; j < width; ++j, pixel += pixels.pitch)
      AddPixel<decltype(d), kVectors>(d, lists, j, pixel, totals, std::make_index_sequence<kTaps>());
  }
  for (std::size_t t = 0; t < kTaps; ++t)
    for (std::size_t i = 0; i < kVectors; ++i) {
      const auto first = static_cast<std::int64_t>(i * hn::Lanes(d));
      AddToDoubles(d, totals[t * kVectors + i], pixels.outputs - first,
                   sums + static_cast<std::int64_t>(t) * pitch + first);
    }
}

using AddPixelTileFunction = void (*)(const RowLists&, const PixelRows&, std::int64_t, std::int64_t, double*,
                                      std::int64_t);

/// AddPixelTile for 1, 2, ... taps.
template <std::size_t kVectors, std::size_t... T>
constexpr std::array<AddPixelTileFunction, sizeof...(T)> AddPixelTileFunctions(std::index_sequence<T...>) {
  return {&AddPixelTile<kVectors, T + 1>...};
}

template <std::size_t kVectors>
void AddPixelProductsOf(const RowLists& taps, const PixelRows& pixels, std::int64_t height, std::int64_t width,
                        double* sums, std::int64_t pitch) {
  constexpr std::size_t kTaps = kMostTaps[kVectorRegisters / 32][kVectors - 1];
  static constexpr auto kFunctions = AddPixelTileFunctions<kVectors>(std::make_index_sequence<kTaps>());
  cut_evenly(taps.count, kTaps, [&](std::int64_t begin, std::int64_t end) {
    kFunctions[static_cast<std::size_t>(end - begin - 1)](taps.part(begin, end), pixels, height, width,
                                                          sums + begin * pitch, pitch);
  });
}

void AddPixelProducts(const RowLists& taps, const PixelRows& pixels, std::int64_t height, std::int64_t width,
                      double* sums, std::int64_t pitch) {
  const std::int64_t vectors = pixels.pitch / static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()));
  if (vectors == 1) return AddPixelProductsOf<1>(taps, pixels, height, width, sums, pitch);
  if (vectors == 2) return AddPixelProductsOf<2>(taps, pixels, height, width, sums, pitch);
  if constexpr (kMostVectors == 4) {
    if (vectors == 3) return AddPixelProductsOf<3>(taps, pixels, height, width, sums, pitch);
    if (vectors == 4) return AddPixelProductsOf<4>(taps, pixels, height, width, sums, pitch);
  }
  require(false, "more outputs of a pixel than registers hold");
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(AddPixelProducts);
HWY_EXPORT(MostPixelOutputs);

std::int64_t most_pixel_outputs() { return HWY_DYNAMIC_DISPATCH(MostPixelOutputs)(); }

void add_pixel_products(const RowLists& taps, const PixelRows& pixels, std::int64_t height, std::int64_t width,
                        double* sums, std::int64_t pitch) {
  HWY_DYNAMIC_DISPATCH(AddPixelProducts)(taps, pixels, height, width, sums, pitch);
}

}  // namespace convtool
#endif
