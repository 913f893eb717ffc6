// The inner loop of `depthwise` for one instruction set. Included once for each by way of hwy/foreach_target.h.

#if defined(CONVTOOL_CONV_DEPTHWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_DEPTHWISE_INL_H_
#undef CONVTOOL_CONV_DEPTHWISE_INL_H_
#else
#define CONVTOOL_CONV_DEPTHWISE_INL_H_
#endif

#include <hwy/highway.h>

#include <utility>

#include "conv/depthwise.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

/// The sums of kPixels pixels times kVectors vectors of channels from channel c on, in registers. Indices are
/// constants, by fold expressions, so that compilers keep every sum in one.
template <std::size_t kPixels, std::size_t kVectors, std::size_t... I>
HWY_INLINE void SumSquare(const DepthwiseStretch& s, std::int64_t first, std::int64_t c, float* sums,
                          std::index_sequence<I...>) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<Floats> sum[kPixels * kVectors];
  ((sum[I] = hn::Zero(d)), ...);
  for (std::int64_t u = 0; u < s.kh; ++u) {
    const float* pixels = s.windows[u] + first * s.pixel_step + c;
    const float* weights = s.weights + u * s.weight_row + c;
    for (std::int64_t v = 0; v < s.kw; ++v, pixels += s.tap_step, weights += s.weight_step) {
      ((sum[I] = hn::MulAdd(
            hn::LoadU(d, pixels + static_cast<std::int64_t>(I / kVectors) * s.pixel_step + I % kVectors * lanes),
            hn::LoadU(d, weights + I % kVectors * lanes), sum[I])),
       ...);
    }
  }
  float* to = sums + first * s.pitch + c;
  ((hn::StoreU(sum[I], d, to + static_cast<std::int64_t>(I / kVectors) * s.pitch + I % kVectors * lanes)), ...);
}

template <std::size_t kPixels, std::size_t kVectors>
HWY_INLINE void SumPixels(const DepthwiseStretch& s, std::int64_t first, float* sums) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  constexpr auto kStep = static_cast<std::int64_t>(kVectors);
  std::int64_t c = 0;
  for (; c + kStep * lanes <= s.pitch; c += kStep * lanes)
    SumSquare<kPixels, kVectors>(s, first, c, sums, std::make_index_sequence<kPixels * kVectors>());
  for (; c < s.pitch; c += lanes) SumSquare<kPixels, 1>(s, first, c, sums, std::make_index_sequence<kPixels>());
}

void SumDepthwise(const DepthwiseStretch& s, float* sums) {
  std::int64_t p = 0;
  for (; p + 6 <= s.pixels; p += 6) SumPixels<6, 2>(s, p, sums);
  for (; p + 2 <= s.pixels; p += 2) SumPixels<2, 4>(s, p, sums);
  for (; p < s.pixels; ++p) SumPixels<1, 8>(s, p, sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
