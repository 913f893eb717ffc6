// Floats of 16 bits: IEEE 754 binary16.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace convtool {

struct Half {
  std::uint16_t bits;

  /// The value, which double and float represent exactly.
  explicit operator double() const {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = bits >> 15 == 0 ? 1.0 : -1.0;
    if (exponent == 31)
      return fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
    return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
  }
  explicit operator float() const { return static_cast<float>(static_cast<double>(*this)); }
};

}  // namespace convtool
