// Arguments of the row functions of the epilogue (finish.h). Internal to conv/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "conv/epilogue.h"
#include "core/tensor.h"

namespace convtool {

enum class SumType { f32, f64, i32 };

template <class Sum>
constexpr SumType sum_type_of() {
  return std::is_same_v<Sum, float> ? SumType::f32 : std::is_same_v<Sum, double> ? SumType::f64 : SumType::i32;
}

/// The values that relu and clip keep. Both commute with rounding to float, as they have no value between floats of
/// their own: so they may follow it.
struct ValueRange {
  float min = -std::numeric_limits<float>::infinity(), max = std::numeric_limits<float>::infinity();

  /// For none, relu and clip.
  static ValueRange of(const Epilogue& epilogue) {
    if (epilogue.activation == Activation::relu) return {.min = 0};
    if (epilogue.activation == Activation::clip) return {epilogue.numbers.min, epilogue.numbers.max};
    return {};
  }
  double clamp(double value) const {
    return std::min(std::max(value, static_cast<double>(min)), static_cast<double>(max));
  }
};

/// One span of one output channel: `joined` rows of `count` sums, `pitch` apart, become `count` neighbouring values.
struct FinishJob {
  SumType sum_type = SumType::f32;
  const void* sums = nullptr;
  std::int64_t pitch = 0, count = 0;

  const double* divisors = nullptr;  ///< [joined]
  const float* biases = nullptr;     ///< [joined]
  Epilogue epilogue;
  ValueMap map;

  DType dtype = DType::u8;
  void* out = nullptr;  ///< contiguous; null to compute statistics only
};

/// A block of pixels with their channels side by side: sums[i * pitch + k] becomes out[i * out_pitch + k], for i <
/// `pixels` and k < `channels`, by the divisor and bias of each channel, the range and an optional absolute value.
struct PixelJob {
  const float* sums = nullptr;
  std::int64_t pitch = 0, pixels = 0, channels = 0;
  const double* divisors = nullptr;  ///< [channels]; each is 1 or its bias is 0
  const float* biases = nullptr;     ///< [channels]
  ValueRange range{};
  bool absolute = false;
  float* out = nullptr;
  std::int64_t out_pitch = 0;
};

}  // namespace convtool
