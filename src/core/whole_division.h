// Divisions of whole numbers that round in one direction.
#pragma once

#include <cstdint>

namespace convtool {

/// floor(a / b), where C++ rounds towards 0. b is above 0.
constexpr std::int64_t floor_divided(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// ceil(a / b). b is above 0.
constexpr std::int64_t ceil_divided(std::int64_t a, std::int64_t b) { return -floor_divided(-a, b); }

}  // namespace convtool
