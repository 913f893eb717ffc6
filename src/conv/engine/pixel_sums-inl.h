// Sums of neighbouring pixels whose taps see the same inputs, in registers: the micro-kernel of `depthwise`, and of
// channel blocks of `packed` that are one vector wide. Included once per instruction set through hwy/foreach_target.h.
//
//   pixels        0   1   2   3          three taps at stride 1: input 2 is tap 2 of pixel 0, tap 1 of pixel 1 and
//   inputs        0 1 2 3 4 5            tap 0 of pixel 2
//
// A processor that does two multiply-adds per cycle can hardly load two vectors per cycle, so each input is loaded
// once.

#if defined(CONVTOOL_CONV_PIXEL_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_PIXEL_SUMS_INL_H_
#undef CONVTOOL_CONV_PIXEL_SUMS_INL_H_
#else
#define CONVTOOL_CONV_PIXEL_SUMS_INL_H_
#endif

#include <hwy/highway.h>

#include <atomic>
#include <cstdint>
#include <utility>

#include "conv/engine/seen_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using PixelFloats = hn::ScalableTag<float>;
using PixelVector = hn::Vec<PixelFloats>;
using FloatsLook = SumsLook<PixelFloats>;

/// An input is a vector of channels.
struct LoadVector {
  HWY_INLINE PixelVector operator()(const float* input) const { return hn::LoadU(PixelFloats(), input); }
};
/// An input is one float, for all channels.
struct Broadcast {
  HWY_INLINE PixelVector operator()(const float* input) const { return hn::Set(PixelFloats(), *input); }
};

/// All inputs exist.
struct Everywhere {
  HWY_INLINE bool operator()(std::int64_t) const { return true; }
};
/// Input i is column `first` + i * `step`; columns outside [begin, end) do not exist, and add nothing.
struct Within {
  std::int64_t first, step, begin, end;

  HWY_INLINE bool operator()(std::int64_t i) const {
    const std::int64_t column = first + i * step;
    return begin <= column && column < end;
  }
};

/// The sums of kPixels neighbouring pixels, one vector of channels of each. Indices are constants, by fold expressions,
/// so that compilers keep every sum in a register.
template <int kPixels>
class PixelSums {
 public:
  HWY_INLINE PixelSums() { Clear(Pixels()); }

  /// Adds kTaps neighbouring taps. Input i is at inputs[at + i * step]; neighbouring pixels are kStride inputs apart.
  /// Each input that exists is loaded once, by `Load`, for all pixels that see it.
  template <class Load, int kStride, int kTaps, class IsThere = Everywhere>
  HWY_INLINE void AddTaps(const float* inputs, std::int64_t at, std::int64_t step, const float* weights,
                          std::int64_t weight_step, IsThere is_there = {}) {
    PixelVector weight[kTaps];
    LoadWeights(weights, weight_step, weight, std::make_integer_sequence<int, kTaps>());
    AddInputs<Load, kStride>(inputs, at, step, weight, is_there,
                             std::make_integer_sequence<int, (kPixels - 1) * kStride + kTaps>());
  }

  /// Stores the sums of pixel p at to[p * pitch].
  HWY_INLINE void Store(float* to, std::int64_t pitch) const { Store(to, pitch, Pixels()); }

  HWY_INLINE void Show(FloatsLook& look) const { Show(look, Pixels()); }

 private:
  using Pixels = std::make_integer_sequence<int, kPixels>;

  template <int... P>
  HWY_INLINE void Clear(std::integer_sequence<int, P...>) {
    ((sums_[P] = hn::Zero(PixelFloats())), ...);
  }

  template <int kTaps, int... T>
  HWY_INLINE static void LoadWeights(const float* weights, std::int64_t step, PixelVector (&weight)[kTaps],
                                     std::integer_sequence<int, T...>) {
    ((weight[T] = hn::LoadU(PixelFloats(), weights + T * step)), ...);
  }

  template <class Load, int kStride, int kTaps, class IsThere, int... I>
  HWY_INLINE void AddInputs(const float* inputs, std::int64_t at, std::int64_t step, const PixelVector (&weight)[kTaps],
                            IsThere is_there, std::integer_sequence<int, I...>) {
    ((is_there(I) ? AddInput<kStride, I>(Load()(inputs + at), weight, Pixels()) : void(), at += step), ...);
  }

  template <int kStride, int kInput, int kTaps, int... P>
  HWY_INLINE void AddInput(PixelVector input, const PixelVector (&weight)[kTaps], std::integer_sequence<int, P...>) {
    // This emits no instruction, but without it GCC loads the input once for each tap.
    std::atomic_signal_fence(std::memory_order_acq_rel);
    (AddProduct<P, kInput - kStride * P>(input, weight), ...);
  }

  template <int kPixel, int kTap, int kTaps>
  HWY_INLINE void AddProduct(PixelVector input, const PixelVector (&weight)[kTaps]) {
    if constexpr (kTap >= 0 && kTap < kTaps) sums_[kPixel] = hn::MulAdd(weight[kTap], input, sums_[kPixel]);
  }

  template <int... P>
  HWY_INLINE void Store(float* to, std::int64_t pitch, std::integer_sequence<int, P...>) const {
    ((hn::StoreU(sums_[P], PixelFloats(), to), to += pitch), ...);
  }

  template <int... P>
  HWY_INLINE void Show(FloatsLook& look, std::integer_sequence<int, P...>) const {
    (look.See(sums_[P]), ...);
  }

  PixelVector sums_[kPixels];
};

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
