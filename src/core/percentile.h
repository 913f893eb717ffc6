// The value that so many of a hundred do not exceed.
#pragma once

#include <span>

namespace convtool {

/// The least of `values` that `percent` of a hundred of them do not exceed, by the nearest rank: 0 the least of all,
/// 100 the largest, 50 the median. `values` are put in another order; at least one, none of them NaN.
float percentile(std::span<float> values, double percent);

}  // namespace convtool
