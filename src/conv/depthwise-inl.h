// The inner loop of `depthwise` for one instruction set. Included once for each by way of hwy/foreach_target.h.

#if defined(CONVTOOL_CONV_DEPTHWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_DEPTHWISE_INL_H_
#undef CONVTOOL_CONV_DEPTHWISE_INL_H_
#else
#define CONVTOOL_CONV_DEPTHWISE_INL_H_
#endif

#include <hwy/highway.h>

#include <atomic>
#include <utility>

#include "conv/depthwise.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

using FloatVector = hn::Vec<Floats>;

/// The sums of kPixels pixels for one vector of channels. Indices are constants, by fold expressions, so that compilers
/// keep every sum in a register.
template <int kPixels>
class PixelSums {
 public:
  HWY_INLINE PixelSums() { Clear(Pixels()); }

  /// Adds kTaps neighbouring taps. Inputs are `step` apart, kStride of them from one pixel to the next; each is loaded
  /// once for all pixels that see it.
  template <int kStride, int kTaps>
  HWY_INLINE void AddTaps(const float* inputs, std::int64_t step, const float* weights, std::int64_t weight_step) {
    FloatVector weight[kTaps];
    LoadWeights(weights, weight_step, weight, std::make_integer_sequence<int, kTaps>());
    AddInputs<kStride>(inputs, step, weight, std::make_integer_sequence<int, (kPixels - 1) * kStride + kTaps>());
  }

  /// Stores the sums of pixel p at to[p * pitch].
  HWY_INLINE void Store(float* to, std::int64_t pitch) const { Store(to, pitch, Pixels()); }

 private:
  using Pixels = std::make_integer_sequence<int, kPixels>;

  template <int... P>
  HWY_INLINE void Clear(std::integer_sequence<int, P...>) {
    ((sums_[P] = hn::Zero(Floats())), ...);
  }

  template <int kTaps, int... T>
  HWY_INLINE static void LoadWeights(const float* weights, std::int64_t step, FloatVector (&weight)[kTaps],
                                     std::integer_sequence<int, T...>) {
    ((weight[T] = hn::LoadU(Floats(), weights + T * step)), ...);
  }

  template <int kStride, int kTaps, int... I>
  HWY_INLINE void AddInputs(const float* inputs, std::int64_t step, const FloatVector (&weight)[kTaps],
                            std::integer_sequence<int, I...>) {
    ((AddInput<kStride, I>(hn::LoadU(Floats(), inputs), weight, Pixels()), inputs += step), ...);
  }

  template <int kStride, int kInput, int kTaps, int... P>
  HWY_INLINE void AddInput(FloatVector input, const FloatVector (&weight)[kTaps], std::integer_sequence<int, P...>) {
    // No instruction, but without it GCC loads the input once for each tap.
    std::atomic_signal_fence(std::memory_order_acq_rel);
    (AddProduct<P, kInput - kStride * P>(input, weight), ...);
  }

  template <int kPixel, int kTap, int kTaps>
  HWY_INLINE void AddProduct(FloatVector input, const FloatVector (&weight)[kTaps]) {
    if constexpr (kTap >= 0 && kTap < kTaps) sums_[kPixel] = hn::MulAdd(weight[kTap], input, sums_[kPixel]);
  }

  template <int... P>
  HWY_INLINE void Store(float* to, std::int64_t pitch, std::integer_sequence<int, P...>) const {
    ((hn::StoreU(sums_[P], Floats(), to), to += pitch), ...);
  }

  FloatVector sums_[kPixels];
};

/// The sums of kPixels pixels from `first` on, vector by vector. Three taps share what they load where pixels are
/// kStride columns apart; kStride 0 stands for any other distance.
template <int kStride, int kPixels>
void SumPixels(const DepthwiseStretch& s, std::int64_t first, float* to) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  for (std::int64_t c = 0; c < s.pitch; c += lanes) {
    PixelSums<kPixels> sums;
    for (std::int64_t u = 0; u < s.kh; ++u) {
      const float* inputs = s.windows[u] + first * s.pixel_step + c;
      const float* weights = s.weights + u * s.weight_row + c;
      std::int64_t v = 0;
      if constexpr (kStride > 0) {
        for (; v + 3 <= s.kw; v += 3)
          sums.template AddTaps<kStride, 3>(inputs + v * s.tap_step, s.tap_step, weights + v * s.weight_step,
                                            s.weight_step);
      }
      for (; v < s.kw; ++v)
        sums.template AddTaps<1, 1>(inputs + v * s.tap_step, s.pixel_step, weights + v * s.weight_step, 0);
    }
    sums.Store(to + first * s.pitch + c, s.pitch);
  }
}

template <int kStride>
void SumStretch(const DepthwiseStretch& s, float* sums) {
  constexpr int kMost = HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64 ? 12 : 8;
  std::int64_t p = 0;
  for (; p + kMost <= s.pixels; p += kMost) SumPixels<kStride, kMost>(s, p, sums);
  for (; p + 4 <= s.pixels; p += 4) SumPixels<kStride, 4>(s, p, sums);
  for (; p < s.pixels; ++p) SumPixels<kStride, 1>(s, p, sums);
}

void SumDepthwise(const DepthwiseStretch& s, float* sums) {
  if (s.pixel_step == s.tap_step) return SumStretch<1>(s, sums);
  if (s.pixel_step == 2 * s.tap_step) return SumStretch<2>(s, sums);
  SumStretch<0>(s, sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
