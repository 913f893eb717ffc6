// The range of float, for numbers that are read as double.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>

namespace convtool {

/// Whether `number` rounds to a finite float. So does the shortest text of the largest float, 3.4028235e38, which lies
/// above it. False for NaN.
inline bool fits_float(double number) {
  constexpr double kRoundsToInfinity = 0x1.ffffffp127;  // half a unit in the last place above the largest float
  return std::fabs(number) < kRoundsToInfinity;
}

/// Whether `number` is an integer with more digits than a float has, but not too many for a double. Larger numbers are
/// rarely meant as integers.
inline bool is_rounded_integer(double number) {
  constexpr double kLargest = 0x1p53;
  return std::fabs(number) <= kLargest && std::trunc(number) == number &&
         static_cast<double>(static_cast<float>(number)) != number;
}

/// The same for an integer of any size.
template <std::integral Integer>
bool is_rounded_integer(Integer number) {
  const float rounded = static_cast<float>(number);
  constexpr float kEnd = static_cast<float>(std::numeric_limits<Integer>::max());  // itself rounded up, out of range
  return rounded >= kEnd || static_cast<Integer>(rounded) != number;
}

}  // namespace convtool
