#include "conv/algorithms/depthwise/depthwise_sums.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/depthwise/depthwise_sums.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/pixel_sums-inl.h"
#include "conv/engine/registers-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Sums kPixels pixels from `first` on, vector by vector. Three taps share their loads where pixels are kStride taps
/// apart; kStride 0 stands for any other distance. `There` is Everywhere or Within.
template <int kStride, int kPixels, class There>
void SumPixels(const DepthwiseRow& row, std::int64_t first, float* to, FloatsLook& look) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(PixelFloats()));
  const auto is_there = [&](std::int64_t column, std::int64_t step) HWY_ATTR {
    if constexpr (std::is_same_v<There, Within>)
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
          sums.template AddTaps<LoadVector, kStride, 3>(inputs, (column - row.first) * row.column,
                                                        row.dilation * row.column, weights, row.pitch,
                                                        is_there(column, row.dilation));
      }
      for (; v < row.kw; ++v, column += row.dilation, weights += row.pitch)
        sums.template AddTaps<LoadVector, 1, 1>(inputs, (column - row.first) * row.column, row.stride * row.column,
                                                weights, 0, is_there(column, row.stride));
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

/// Sums the pixels from `first` on, kPixels at a time. The last tile may overlap the one before.
template <int kStride, int kPixels>
void SumRow(const DepthwiseRow& row, std::int64_t first, float* sums, FloatsLook& look) {
  for (; first + kPixels <= row.pixels; first += kPixels) SumTile<kStride, kPixels>(row, first, sums, look);
  if (first == row.pixels) return;
  constexpr int kFewer = (kPixels + 1) / 2;
  if (row.pixels >= kPixels && row.pixels - first > kFewer)
    SumTile<kStride, kPixels>(row, row.pixels - kPixels, sums, look);
  else if constexpr (kPixels > 1)
    SumRow<kStride, kFewer>(row, first, sums, look);
}

/// The most sums that fit in the registers with three weights and an input.
constexpr int kMostPixelSums = kVectorRegisters == 32 ? 14 : 8;

void SumDepthwise(const DepthwiseRow& row, float* sums, SeenSums* seen) {
  SeenSums unused;
  SeenSums& all = seen != nullptr ? *seen : unused;
  FloatsLook look(PixelFloats(), all);
  if (row.stride == row.dilation)
    SumRow<1, kMostPixelSums>(row, 0, sums, look);
  else if (row.stride == 2 * row.dilation)
    SumRow<2, kMostPixelSums>(row, 0, sums, look);
  else
    SumRow<0, kMostPixelSums>(row, 0, sums, look);
  look.Save(all);
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(SumDepthwise);

void sum_depthwise(const DepthwiseRow& row, float* sums, SeenSums* seen) {
  HWY_DYNAMIC_DISPATCH(SumDepthwise)(row, sums, seen);
}

}  // namespace convtool
#endif
