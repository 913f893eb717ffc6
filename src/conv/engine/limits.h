// Memory limits of the algorithms. Internal to conv/.
#pragma once

#include <cstdint>

namespace convtool {

/// Half of a common second-level cache, in bytes: the share of input strips. The other half is for sums, weights and
/// output.
inline constexpr std::int64_t kCacheBytes = std::int64_t{512} << 10;

/// The most bytes that one thread may need for a plan; an algorithm that needs more refuses the problem. A double,
/// since large strides and pads would overflow an integer.
inline constexpr double kMostMemory = 16 << 20;

/// The same for the channels-last strips of `packed` and `depthwise`, which need memory for weights and sums in
/// addition.
inline constexpr double kMostStripMemory = 12 << 20;

}  // namespace convtool
