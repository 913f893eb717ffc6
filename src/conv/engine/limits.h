// Memory limits of the algorithms, and what they say beyond them. Internal to conv/.
#pragma once

#include <cstdint>

namespace convtool {

/// Half of a common second-level cache, in bytes: the share of input strips. The other half is for sums, weights and
/// output.
inline constexpr std::int64_t kCacheBytes = std::int64_t{512} << 10;

/// The most bytes that one thread may need for a plan; an algorithm that needs more refuses the problem. A double,
/// since large strides and pads would overflow an integer.
inline constexpr double kMostMemory = 16 << 20;
inline constexpr const char* kBeyondMemory = "its buffers would take more than 16 MiB per thread";

/// The same for the channels-last strips of `packed` and `depthwise`, which need memory for weights and sums in
/// addition.
inline constexpr double kMostStripMemory = 12 << 20;
inline constexpr const char* kBeyondStripMemory = "its strips of rows would take more than 12 MiB per thread";

}  // namespace convtool
