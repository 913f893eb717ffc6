// The only border rules in the program: how much padding, which pixel stands outside, where no padding is seen.
#pragma once

#include <algorithm>
#include <cstdint>

#include "conv/problem.h"

namespace convtool {

/// The four numbers that `padding` means for an input of `input` rows and columns. `same` uses the dilated kernel size
/// and keeps ceil(in / stride), as TensorFlow and ONNX do; where that needs none, it is 0.
inline Pads resolve_pads(const Padding& padding, const Extent& input, const KernelShape& kernel, const Extent& stride,
                         const Extent& dilation) {
  if (padding.rule == Padding::Rule::fixed) return padding.pads;
  const Extent extent = dilated_kernel(kernel, dilation);
  if (padding.rule == Padding::Rule::full) return {extent.h - 1, extent.w - 1, extent.h - 1, extent.w - 1};

  const auto total = [](std::int64_t in, std::int64_t k, std::int64_t s) {
    const std::int64_t out = (in + s - 1) / s;
    return std::max<std::int64_t>(0, (out - 1) * s + k - in);
  };
  const std::int64_t h = total(input.h, extent.h, stride.h), w = total(input.w, extent.w, stride.w);
  if (padding.rule == Padding::Rule::same_lower) return {h - h / 2, w - w / 2, h / 2, w / 2};
  return {h / 2, w / 2, h - h / 2, w - w / 2};
}

inline constexpr std::int64_t kOutside = -1;

/// The index in [0, size) of the pixel that stands at position `i` of an axis of `size` pixels, or kOutside where the
/// mode puts a constant there. Any `i` is allowed: the periodic modes repeat as often as it takes.
inline std::int64_t pad_index(PaddingMode mode, std::int64_t i, std::int64_t size) {
  if (i >= 0 && i < size) return i;
  const auto wrap = [i](std::int64_t period) {
    const std::int64_t rest = i % period;
    return rest < 0 ? rest + period : rest;
  };
  switch (mode) {
    case PaddingMode::zeros:
    case PaddingMode::constant: return kOutside;
    case PaddingMode::replicate: return i < 0 ? 0 : size - 1;
    case PaddingMode::circular: return wrap(size);
    case PaddingMode::symmetric: {  // abcd dcba | abcd dcba: period 2 * size
      const std::int64_t at = wrap(2 * size);
      return at < size ? at : 2 * size - 1 - at;
    }
    case PaddingMode::reflect: {  // abcd cb | abcd cb: period 2 * size - 2; a single pixel has no neighbour to show
      if (size == 1) return 0;
      const std::int64_t at = wrap(2 * size - 2);
      return at < size ? at : 2 * size - 2 - at;
    }
  }
  return kOutside;
}

/// pad_index() on a row of interleaved pixels, of `pixel` columns each: `i` and `size` count columns, and a column
/// outside shows the same channel of the pixel that stands there.
inline std::int64_t pad_column(PaddingMode mode, std::int64_t i, std::int64_t size, std::int64_t pixel) {
  const std::int64_t channel = (i % pixel + pixel) % pixel;
  const std::int64_t at = pad_index(mode, (i - channel) / pixel, size / pixel);
  return at == kOutside ? kOutside : at * pixel + channel;
}

/// A half-open range of output positions.
struct Range {
  std::int64_t begin = 0, end = 0;
};

/// The outputs in [0, out) whose tap at `offset` (k*dilation - pad_begin) falls inside an input of `in` positions:
/// those j with 0 <= j*stride + offset < in. May be empty.
inline Range interior(std::int64_t out, std::int64_t in, std::int64_t stride, std::int64_t offset) {
  const std::int64_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const std::int64_t end = in - offset <= 0 ? 0 : (in - offset + stride - 1) / stride;
  const std::int64_t first = std::min(begin, out);
  return {first, std::clamp(end, first, out)};
}

}  // namespace convtool
