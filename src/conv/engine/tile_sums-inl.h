// Sums of a few pixels times one or two vectors of output channels, in registers: the micro-kernel of `packed` and
// `winograd`. Included once per instruction set through hwy/foreach_target.h.
//
// Each float of a pixel, broadcast, is multiplied by vectors of weights that all pixels share.

#if defined(CONVTOOL_CONV_TILE_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_TILE_SUMS_INL_H_
#undef CONVTOOL_CONV_TILE_SUMS_INL_H_
#else
#define CONVTOOL_CONV_TILE_SUMS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "conv/engine/registers-inl.h"
#include "conv/engine/seen_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using FloatVector = hn::Vec<Floats>;

/// The most pixels whose sums, two vectors each, fit in the registers with two vectors of weights and one of a pixel.
constexpr std::size_t kMostTilePixels = (kVectorRegisters - 3) / 2;

/// Where the pixels of a tile are: at equal distances in a row.
template <class T>
struct InRow {
  T* first;
  std::int64_t step;

  HWY_INLINE T* operator[](std::size_t p) const { return first + static_cast<std::int64_t>(p) * step; }
};

/// The sums of kPixels pixels with kVectors vectors of outputs each. Indices are constants, by fold expressions, so
/// that compilers keep every sum in a register.
template <std::size_t kPixels, std::size_t kVectors>
class TileSums {
 public:
  HWY_INLINE TileSums() { Clear(All()); }

  /// Adds the products of `length` floats of each pixel, each float times a row of weights.
  template <class Pixels>
  HWY_INLINE void AddRun(const Pixels& pixels, std::int64_t length, const float* weights) {
    const auto width = static_cast<std::int64_t>(kVectors * hn::Lanes(Floats()));
    std::int64_t k = 0;
    for (; k + 4 <= length; k += 4, weights += 4 * width) {
      AddOne(pixels, k, weights, All());
      AddOne(pixels, k + 1, weights + width, All());
      AddOne(pixels, k + 2, weights + 2 * width, All());
      AddOne(pixels, k + 3, weights + 3 * width, All());
    }
    for (; k < length; ++k, weights += width) AddOne(pixels, k, weights, All());
  }

  /// Stores the sums of pixel p from to[p] on.
  template <class To>
  HWY_INLINE void Store(const To& to) const {
    Store(to, All());
  }

  HWY_INLINE void Show(SumsLook<Floats>& look) const { Show(look, All()); }

 private:
  using All = std::make_index_sequence<kPixels * kVectors>;

  template <std::size_t... I>
  HWY_INLINE void Clear(std::index_sequence<I...>) {
    ((sums_[I] = hn::Zero(Floats())), ...);
  }

  template <class Pixels, std::size_t... I>
  HWY_INLINE void AddOne(const Pixels& pixels, std::int64_t k, const float* weights, std::index_sequence<I...>) {
    const Floats d;
    FloatVector weight[kVectors];
    weight[0] = hn::LoadU(d, weights);
    if constexpr (kVectors == 2) weight[1] = hn::LoadU(d, weights + hn::Lanes(d));
    ((sums_[I] = hn::MulAdd(hn::Set(d, pixels[I / kVectors][k]), weight[I % kVectors], sums_[I])), ...);
  }

  template <class To, std::size_t... I>
  HWY_INLINE void Store(const To& to, std::index_sequence<I...>) const {
    const Floats d;
    (hn::StoreU(sums_[I], d, to[I / kVectors] + I % kVectors * hn::Lanes(d)), ...);
  }

  template <std::size_t... I>
  HWY_INLINE void Show(SumsLook<Floats>& look, std::index_sequence<I...>) const {
    (look.See(sums_[I]), ...);
  }

  FloatVector sums_[kPixels * kVectors];
};

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
