// The inner loop of `depthwise` for one instruction set. Included once for each by way of hwy/foreach_target.h.

#if defined(CONVTOOL_CONV_DEPTHWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_DEPTHWISE_INL_H_
#undef CONVTOOL_CONV_DEPTHWISE_INL_H_
#else
#define CONVTOOL_CONV_DEPTHWISE_INL_H_
#endif

#include "conv/depthwise.h"
#include "conv/pixel_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The sums of kPixels pixels from `first` on, vector by vector. Three taps share what they load where pixels are
/// kStride columns apart; kStride 0 stands for any other distance.
template <int kStride, int kPixels>
void SumPixels(const DepthwiseStretch& s, std::int64_t first, float* to) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(PixelFloats()));
  for (std::int64_t c = 0; c < s.pitch; c += lanes) {
    PixelSums<kPixels> sums;
    for (std::int64_t u = 0; u < s.kh; ++u) {
      const float* inputs = s.windows[u] + first * s.pixel_step + c;
      const float* weights = s.weights + u * s.weight_row + c;
      std::int64_t v = 0;
      if constexpr (kStride > 0) {
        for (; v + 3 <= s.kw; v += 3)
          sums.template AddTaps<LoadVector, kStride, 3>(inputs + v * s.tap_step, s.tap_step,
                                                        weights + v * s.weight_step, s.weight_step);
      }
      for (; v < s.kw; ++v)
        sums.template AddTaps<LoadVector, 1, 1>(inputs + v * s.tap_step, s.pixel_step, weights + v * s.weight_step, 0);
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
