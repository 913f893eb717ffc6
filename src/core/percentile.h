// Percentiles by the nearest-rank method.
#pragma once

#include <span>

namespace convtool {

/// The least of `values` that at least `percent` % of them do not exceed: 0 gives the smallest, 100 the largest, 50 the
/// median. Reorders `values`, which are not empty and contain no NaN.
float percentile(std::span<float> values, double percent);

}  // namespace convtool
