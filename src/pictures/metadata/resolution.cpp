#include "pictures/metadata/resolution.h"

#include <algorithm>
#include <cmath>

namespace convtool {
namespace {

constexpr double kCentimetresPerInch = 2.54, kTolerance = 0.01;

double rounding_error(double value) { return std::fabs(std::round(value) / value - 1); }

/// Rounds both numbers. Nothing if one becomes 0 or more than `most`, or differs by more than the tolerance.
std::optional<Density> whole_numbers(const Resolution& resolution, double most) {
  for (const double value : {resolution.x, resolution.y})
    if (value > most || rounding_error(value) > kTolerance) return std::nullopt;
  return Density{static_cast<std::uint32_t>(std::lround(resolution.x)),
                 static_cast<std::uint32_t>(std::lround(resolution.y)), resolution.unit};
}

Resolution scaled(const Resolution& resolution, double factor, Resolution::Unit unit) {
  return {resolution.x * factor, resolution.y * factor, unit};
}

double larger_error(const Resolution& resolution) {
  return std::max(rounding_error(resolution.x), rounding_error(resolution.y));
}

}  // namespace

std::optional<Resolution> find_resolution(double x, double y, Resolution::Unit unit) {
  constexpr double kLargest = 1e9;  // whatever the unit; also false for infinity and NaN
  const bool is_possible = x > 0 && y > 0 && x < kLargest && y < kLargest;
  if (!is_possible || (unit == Resolution::Unit::none && x == y)) return std::nullopt;
  return Resolution{x, y, unit};
}

bool is_about(const Resolution& a, const Resolution& b) {
  using Unit = Resolution::Unit;
  if ((a.unit == Unit::none) != (b.unit == Unit::none)) return false;
  const auto per_inch = [](const Resolution& r) { return r.unit == Unit::centimetre ? kCentimetresPerInch : 1; };
  const double factor = per_inch(a) / per_inch(b);
  return std::fabs(a.x * factor / b.x - 1) < kTolerance && std::fabs(a.y * factor / b.y - 1) < kTolerance;
}

std::optional<Density> png_density(const Resolution& resolution) {
  constexpr double kMost = 0x7fffffff;
  using Unit = Resolution::Unit;
  if (resolution.unit == Unit::none) return whole_numbers(resolution, kMost);
  const double per_metre = resolution.unit == Unit::inch ? 100 / kCentimetresPerInch : 100;
  return whole_numbers(scaled(resolution, per_metre, Unit::centimetre), kMost);
}

std::optional<Density> jpeg_density(const Resolution& resolution) {
  constexpr double kMost = 0xffff;
  using Unit = Resolution::Unit;
  if (resolution.unit == Unit::none) return whole_numbers(resolution, kMost);
  const Resolution other = resolution.unit == Unit::inch ? scaled(resolution, 1 / kCentimetresPerInch, Unit::centimetre)
                                                         : scaled(resolution, kCentimetresPerInch, Unit::inch);
  return whole_numbers(larger_error(other) < larger_error(resolution) ? other : resolution, kMost);
}

}  // namespace convtool
