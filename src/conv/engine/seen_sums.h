// Statistics of sums that row functions store directly in the output. Internal to conv/.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "conv/epilogue.h"

namespace convtool {

/// Floats of the widest vector of any instruction set.
inline constexpr std::int64_t kMostLanes = 16;

/// One value per lane; narrower vectors use the first ones. Filled in by seen_sums-inl.h.
struct alignas(64) SeenSums {
  float min[kMostLanes], max[kMostLanes];
  float total[kMostLanes];  ///< infinite or NaN if a sum was

  SeenSums() {
    std::fill_n(min, kMostLanes, std::numeric_limits<float>::infinity());
    std::fill_n(max, kMostLanes, -std::numeric_limits<float>::infinity());
    std::fill_n(total, kMostLanes, 0.0F);
  }

  void see(const float* sums, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      min[0] = std::min(min[0], sums[i]);
      max[0] = std::max(max[0], sums[i]);
      total[0] += sums[i];
    }
  }

  /// False if a sum may not have been finite; then the caller passes all of them to the sink.
  bool is_finite() const {
    return std::all_of(total, total + kMostLanes, [](float t) { return std::isfinite(t); });
  }

  /// Only if is_finite().
  void merge_into(ResponseStats& stats) const {
    stats.min = std::min(stats.min, *std::min_element(min, min + kMostLanes) + 0.0);  // no -0
    stats.max = std::max(stats.max, *std::max_element(max, max + kMostLanes) + 0.0);
  }
};

}  // namespace convtool
