// The steps between a finished sum and the stored value, as plain data. Their order is fixed and the same for every
// algorithm.
//
//   sum -> / divisor -> + bias -> activation -> combine -> (this is the response) -> value map -> store as u8, u16 or
//   f32
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "conv/activation.h"

namespace convtool {

/// How the outputs of several kernels on one channel are combined. `magnitude`: the root of the sum of squares.
enum class Combine { none, magnitude, l1, max, min, sum, mean };
inline constexpr std::string_view kCombines[] = {"none", "magnitude", "l1", "max", "min", "sum", "mean"};

/// Every `combine_count` consecutive sum channels become one output channel; 1 if none are combined.
struct Epilogue {
  Activation activation = Activation::none;
  Combine combine = Combine::none;
  std::int64_t combine_count = 1;
  ActivationNumbers numbers{};  ///< of the activation
};

/// Maps a response r, or its absolute value, to a value in the units of the output: (r - shift) * scale + offset, or
/// with a threshold r > threshold ? scale : 0.
struct ValueMap {
  bool absolute = false;
  double shift = 0, scale = 1, offset = 0;
  std::optional<double> threshold;
};

/// Statistics of a run. Counts are per output element. The order of merging affects only the last bits of the total,
/// which mean() rounds away, so the number of threads does not change the result.
struct ResponseStats {
  double min =
      std::numeric_limits<double>::infinity();  ///< over responses that are not NaN; min > max if there are none
  double max = -std::numeric_limits<double>::infinity();
  std::int64_t nan_count = 0;     ///< responses that are NaN; stored as 0 in integer types
  std::int64_t clipped_low = 0;   ///< rounded values below the range of the output type
  std::int64_t clipped_high = 0;  ///< rounded values above it
  double total = 0;               ///< the sum of all responses that are not NaN; see PlanOptions::totals
  std::int64_t total_count = 0;

  /// The mean response, if the total was computed. It is rounded to 2^-40 of the largest response, which hides the
  /// order of summation: its errors are far smaller for any number of pixels that fits in memory.
  std::optional<double> mean() const {
    if (total_count == 0) return std::nullopt;
    const double exact = total / static_cast<double>(total_count);
    const double largest = std::max(std::fabs(min), std::fabs(max));
    if (!std::isfinite(largest) || largest == 0) return exact;
    const double unit = std::ldexp(1.0, std::ilogb(largest) - 40);
    return std::nearbyint(exact / unit) * unit + 0.0;
  }

  void merge(const ResponseStats& other) {
    min = std::min(min, other.min);
    max = std::max(max, other.max);
    nan_count += other.nan_count;
    clipped_low += other.clipped_low;
    clipped_high += other.clipped_high;
    total += other.total;
    total_count += other.total_count;
  }
};

}  // namespace convtool
