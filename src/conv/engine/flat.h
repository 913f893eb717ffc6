// The flat view: an interleaved picture whose channels are all filtered by the same kernel is treated as one channel.
// It is `channels` times as wide, and its taps are `channels` columns apart.
//
//   b g r b g r b g r b g r ...     3 channels, taps 1 pixel apart = 1 channel, taps 3 columns apart
//
// Pixels need not be separated into channels and interleaved again, and rows are longer. Positions count columns of the
// flat view. Its border has the same width in pixels, each of `channels` columns.
#pragma once

#include <algorithm>
#include <cstddef>

#include "conv/kernel.h"
#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// Whether every channel of a depthwise problem is filtered by the same weights. False for a single channel, which is
/// flat already.
inline bool channels_share_kernel(const ConvProblem& problem, const Kernel& kernel) {
  const std::int64_t channels = problem.input.c;
  if (channels == 1 || problem.groups != channels) return false;
  const auto period = static_cast<std::ptrdiff_t>(kernel.shape.count() / channels);
  return std::equal(kernel.weights.begin() + period, kernel.weights.end(), kernel.weights.begin());
}

/// Whether the channels of a pixel, in either order, and the pixels of a row are contiguous in memory.
inline bool is_interleaved(const ConstTensorRef& picture) {
  return picture.strides.w == picture.shape.c && std::abs(picture.strides.c) == 1;
}

/// An interleaved picture as one channel of channels * w columns of the same memory. `data` may be null.
template <class Ref>
Ref flat_view(const Ref& picture) {
  Ref flat = picture;
  if (picture.data != nullptr && picture.strides.c < 0) flat = picture.channels(picture.shape.c - 1, 1);
  flat.shape.c = 1;
  flat.shape.w = picture.shape.w * picture.shape.c;
  flat.strides.w = 1;
  return flat;
}

}  // namespace convtool
