// The inner loop of `depthwise` for one instruction set. Included once for each by way of hwy/foreach_target.h.

#if defined(CONVTOOL_CONV_DEPTHWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_DEPTHWISE_INL_H_
#undef CONVTOOL_CONV_DEPTHWISE_INL_H_
#else
#define CONVTOOL_CONV_DEPTHWISE_INL_H_
#endif

#include <algorithm>

#include "conv/depthwise.h"
#include "conv/pixel_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The sums of kPixels pixels from `first` on, vector by vector. Three taps share what they load where pixels are
/// kStride taps apart; kStride 0 stands for any other distance. `Is` is Within where some columns are not there.
template <int kStride, int kPixels, class Is>
void SumPixels(const DepthwiseRow& row, std::int64_t first, float* to, FloatsLook& look) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(PixelFloats()));
  const auto is_there = [&](std::int64_t column, std::int64_t step) HWY_ATTR {
    if constexpr (std::is_same_v<Is, Within>)
      return Within{column, step, row.there.begin, row.there.end};
    else
      return Everywhere();
  };
  for (std::int64_t c = 0; c < row.pitch; c += lanes) {
    PixelSums<kPixels> sums;
    const float* weights = row.weights + c;
    for (std::int64_t u = 0; u < row.kh; ++u) {
      const float* inputs = row.inputs[u] + c;
      std::int64_t column = first * row.stride, v = 0;
      if constexpr (kStride > 0) {
        for (; v + 3 <= row.kw; v += 3, column += 3 * row.dilation, weights += 3 * row.pitch)
          sums.template AddTaps<LoadVector, kStride, 3>(inputs, (column - row.there.begin) * row.column,
                                                        row.dilation * row.column, weights, row.pitch,
                                                        is_there(column, row.dilation));
      }
      for (; v < row.kw; ++v, column += row.dilation, weights += row.pitch)
        sums.template AddTaps<LoadVector, 1, 1>(inputs, (column - row.there.begin) * row.column,
                                                row.stride * row.column, weights, 0, is_there(column, row.stride));
    }
    sums.Store(to + first * row.pitch + c, row.pitch);
    sums.Show(look);
  }
}

template <int kStride, int kPixels>
HWY_INLINE void SumTile(const DepthwiseRow& row, std::int64_t first, float* sums, FloatsLook& look) {
  const std::int64_t end = (first + kPixels - 1) * row.stride + (row.kw - 1) * row.dilation + 1;
  if (row.there.begin <= first * row.stride && end <= row.there.end)
    SumPixels<kStride, kPixels, Everywhere>(row, first, sums, look);
  else
    SumPixels<kStride, kPixels, Within>(row, first, sums, look);
}

template <int kStride>
void SumRow(const DepthwiseRow& row, float* sums, FloatsLook& look) {
  constexpr int kMost = HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64 ? 14 : 8, kHalf = kMost / 2;
  std::int64_t p = 0;
  for (; p + kMost <= row.pixels; p += kMost) SumTile<kStride, kMost>(row, p, sums, look);
  // The last may sum some pixels once more.
  for (; p < row.pixels && kHalf <= row.pixels; p += kHalf)
    SumTile<kStride, kHalf>(row, std::min(p, row.pixels - kHalf), sums, look);
  for (; p < row.pixels; ++p) SumTile<kStride, 1>(row, p, sums, look);
}

void SumDepthwise(const DepthwiseRow& row, float* sums, SeenSums* seen) {
  SeenSums unused;
  SeenSums& all = seen != nullptr ? *seen : unused;
  FloatsLook look(PixelFloats(), all);
  if (row.stride == row.dilation)
    SumRow<1>(row, sums, look);
  else if (row.stride == 2 * row.dilation)
    SumRow<2>(row, sums, look);
  else
    SumRow<0>(row, sums, look);
  look.Save(all);
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
