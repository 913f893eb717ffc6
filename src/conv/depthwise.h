// The inner loop of `depthwise`, compiled for every instruction set. Internal to conv/; the text is depthwise-inl.h's.
#pragma once

#include <cstdint>

namespace convtool {

/// Neighbouring output pixels of one row that have the same taps, of some channels. Distances are in floats.
struct DepthwiseStretch {
  const float* const* windows = nullptr;         ///< [kh]: what tap (u, 0) of the first pixel sees
  const float* weights = nullptr;                ///< those of tap (0, 0)
  std::int64_t kh = 1, kw = 1;                   ///< the taps it has
  std::int64_t weight_row = 0, weight_step = 0;  ///< from the weights of a tap to those of the next row, or column
  std::int64_t tap_step = 0, pixel_step = 0;     ///< from what a tap, or pixel, sees to what the next does
  std::int64_t pixels = 1;
  std::int64_t pitch = 0;  ///< channels that are summed, in whole vectors, and from one pixel's sums to the next
};

/// sums[p * pitch + c] = the sum over u, v of weights[u * weight_row + v * weight_step + c] *
/// windows[u][p * pixel_step + v * tap_step + c], in this order, by multiply-adds in float.
void sum_depthwise(const DepthwiseStretch& stretch, float* sums);

}  // namespace convtool
