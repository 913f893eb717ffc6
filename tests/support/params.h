// Short names for ConvParams and paddings.
#pragma once

#include <cstdint>

#include "conv/problem.h"

namespace convtool {

using Params = ConvParams;

inline constexpr Padding kSame{Padding::Rule::same, {}};
inline constexpr Padding kSameLower{Padding::Rule::same_lower, {}};
inline constexpr Padding kFull{Padding::Rule::full, {}};

/// These pads: top, left, bottom, right.
constexpr Padding pads(std::int64_t top, std::int64_t left, std::int64_t bottom, std::int64_t right) {
  return {Padding::Rule::fixed, {top, left, bottom, right}};
}

}  // namespace convtool
