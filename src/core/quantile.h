// The value that a share of many does not exceed.
#pragma once

#include <span>

namespace convtool {

/// The least of `values` that so large a share of them does not exceed: 0 the least of all, 1 the largest, 0.5 the
/// median, by the nearest rank. `values` are put in another order; at least one, none of them NaN.
float quantile(std::span<float> values, double share);

}  // namespace convtool
