// Values that many tests go over.
#pragma once

#include <limits>

#include "conv/problem.h"

namespace convtool {

inline constexpr DType kTypes[] = {DType::u8, DType::u16, DType::f32};

inline constexpr PaddingMode kModes[] = {PaddingMode::zeros,     PaddingMode::constant,  PaddingMode::reflect,
                                         PaddingMode::symmetric, PaddingMode::replicate, PaddingMode::circular};

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace convtool
