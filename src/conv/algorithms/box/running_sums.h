// The row functions of `box`, compiled for every instruction set. Internal to conv/.
#pragma once

#include <cstdint>

namespace convtool {

/// sums[x] += entering[x] - leaving[x], for x < count. `T` is u8 or u16.
template <class T>
void slide(const T* entering, const T* leaving, std::int64_t count, std::uint32_t* sums);

/// prefix[x + distance] = sums[x] + prefix[x], for x < count, and prefix[x] = 0 for x < distance: the sum of a window
/// of values `distance` apart is the difference of two of these. Modulo 2^32. Reads and writes up to kRowSlack elements
/// (conv/engine/simd.h) past the ends.
void add_up(const std::uint32_t* sums, std::int64_t distance, std::int64_t count, std::uint32_t* prefix);

/// products[x] = weight * (prefix[x + length] - prefix[x]), for x < width. The difference, less than 2^31, is first
/// rounded to float. Reads and writes as add_up() does.
void weigh(const std::uint32_t* prefix, std::int64_t length, float weight, std::int64_t width, float* products);

}  // namespace convtool
