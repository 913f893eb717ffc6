// The border rules, written here only: the amount of padding, the pixels it shows, and the outputs that see none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/range.h"

namespace convtool {

/// A height and a width.
struct Extent {
  std::int64_t h = 1, w = 1;

  constexpr bool operator==(const Extent&) const = default;
};

/// Rows and columns of padding on each side, in ONNX's order without its axis-wise split.
struct Pads {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;

  constexpr bool operator==(const Pads&) const = default;
};

/// The value of pixels outside the picture; kPaddingModeTable shows each mode.
enum class PaddingMode { zeros, constant, reflect, symmetric, replicate, circular };

/// One padding mode: its name here, the row abcd with three pixels of padding on each side, and its names elsewhere.
struct PaddingModeRow {
  std::string_view name;
  std::string_view picture;
  std::string_view pytorch, numpy, scipy, opencv;  ///< empty where the library lacks the mode; OpenCV's without BORDER_
};
inline constexpr PaddingModeRow kPaddingModeTable[] = {
    {"zeros", "000|abcd|000", "zeros", "constant", "constant", "CONSTANT"},
    {"constant", "kkk|abcd|kkk", "constant", "constant", "constant", "CONSTANT"},
    {"reflect", "dcb|abcd|cba", "reflect", "reflect", "mirror", "REFLECT_101"},
    {"symmetric", "cba|abcd|dcb", "", "symmetric", "reflect", "REFLECT"},
    {"replicate", "aaa|abcd|ddd", "replicate", "edge", "nearest", "REPLICATE"},
    {"circular", "bcd|abcd|abc", "circular", "wrap", "wrap", "WRAP"},
};

/// The names alone, in the order of the enumeration.
inline constexpr std::string_view kPaddingModes[] = {kPaddingModeTable[0].name, kPaddingModeTable[1].name,
                                                     kPaddingModeTable[2].name, kPaddingModeTable[3].name,
                                                     kPaddingModeTable[4].name, kPaddingModeTable[5].name};

constexpr std::string_view to_string(PaddingMode mode) { return kPaddingModes[static_cast<int>(mode)]; }

/// The requested padding; resolve_pads() turns it into numbers once the input's size is known.
struct Padding {
  enum class Rule {
    fixed,       ///< `pads` as they are; "valid" is all zeros
    same,        ///< output ceil(in / stride), the odd row or column at the end (ONNX SAME_UPPER)
    same_lower,  ///< the same, the odd one at the start
    full,        ///< every position where kernel and picture overlap
  };
  Rule rule = Rule::fixed;
  Pads pads;

  constexpr bool operator==(const Padding&) const = default;
};

/// Resolves `padding` for an input of `input` rows and columns and a kernel that sees `extent` of them, dilation
/// included. `same` keeps ceil(in / stride) outputs, as TensorFlow and ONNX do; its padding is never negative.
inline Pads resolve_pads(const Padding& padding, const Extent& input, const Extent& extent, const Extent& stride) {
  if (padding.rule == Padding::Rule::fixed) return padding.pads;
  if (padding.rule == Padding::Rule::full) return {extent.h - 1, extent.w - 1, extent.h - 1, extent.w - 1};

  const auto total = [](std::int64_t in, std::int64_t k, std::int64_t s) {
    const std::int64_t out = (in + s - 1) / s;
    return std::max<std::int64_t>(0, (out - 1) * s + k - in);
  };
  const std::int64_t h = total(input.h, extent.h, stride.h), w = total(input.w, extent.w, stride.w);
  if (padding.rule == Padding::Rule::same_lower) return {h - h / 2, w - w / 2, h / 2, w / 2};
  return {h / 2, w / 2, h - h / 2, w - w / 2};
}

/// Whether pixels outside the picture have one value, and show none of its pixels.
constexpr bool is_constant(PaddingMode mode) { return mode == PaddingMode::zeros || mode == PaddingMode::constant; }

inline constexpr std::int64_t kOutside = -1;

/// The index in [0, size) of the pixel at position `i` of an axis of `size` pixels, or kOutside where the mode pads
/// with a constant. Any `i` is allowed: the periodic modes repeat as often as needed.
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
/// outside shows the same channel of the pixel that pad_index() names.
inline std::int64_t pad_column(PaddingMode mode, std::int64_t i, std::int64_t size, std::int64_t pixel) {
  const std::int64_t channel = (i % pixel + pixel) % pixel;
  const std::int64_t at = pad_index(mode, (i - channel) / pixel, size / pixel);
  return at == kOutside ? kOutside : at * pixel + channel;
}

/// The outputs in [0, out) whose tap at `offset` (k*dilation - pad_begin) falls inside an input of `in` positions:
/// those j with 0 <= j*stride + offset < in. May be empty.
inline Range interior(std::int64_t out, std::int64_t in, std::int64_t stride, std::int64_t offset) {
  const std::int64_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const std::int64_t end = in - offset <= 0 ? 0 : (in - offset + stride - 1) / stride;
  const std::int64_t first = std::min(begin, out);
  return {first, std::clamp(end, first, out)};
}

}  // namespace convtool
