// ConvParams for tests, by name.
#pragma once

#include <cstdint>

#include "conv/problem.h"

namespace convtool {

/// The same members as ConvParams, each with a default of its own, so that GCC's -Wmissing-field-initializers lets a
/// test name the one or two that it is about.
struct Params {
  Extent stride = {};
  Extent dilation = {};
  Padding padding = {};
  PaddingMode padding_mode = PaddingMode::zeros;
  float padding_value = 0;
  std::int64_t groups = 1;

  operator ConvParams() const { return {stride, dilation, padding, padding_mode, padding_value, groups}; }
};

inline constexpr Padding kSame{Padding::Rule::same, {}};
inline constexpr Padding kSameLower{Padding::Rule::same_lower, {}};
inline constexpr Padding kFull{Padding::Rule::full, {}};

/// These pads: top, left, bottom, right.
constexpr Padding pads(std::int64_t top, std::int64_t left, std::int64_t bottom, std::int64_t right) {
  return {Padding::Rule::fixed, {top, left, bottom, right}};
}

}  // namespace convtool
