// The resolution at which a picture is to be printed or shown.
#pragma once

#include <cstdint>
#include <optional>

namespace convtool {

/// Pixels per unit of length in both directions; finite and positive.
struct Resolution {
  enum class Unit { none, inch, centimetre };  ///< none: only the ratio of x and y, the shape of a pixel, matters

  double x = 0, y = 0;
  Unit unit = Unit::none;
};

/// The resolution, unless it says nothing: numbers that are impossible, or square pixels without a unit.
std::optional<Resolution> find_resolution(double x, double y, Resolution::Unit unit);

/// Whether two resolutions differ by less than 1 %, in any units.
bool is_about(const Resolution& a, const Resolution& b);

/// A resolution in whole numbers.
struct Density {
  std::uint32_t x = 0, y = 0;
  Resolution::Unit unit = Resolution::Unit::none;
};

/// The nearest density that PNG stores, which is by the metre: with Unit::centimetre, x and y are for 100 of them.
/// Nothing if it differs by more than 1 %.
std::optional<Density> png_density(const Resolution& resolution);

/// The nearest density that JFIF stores, of 16 bits, by the inch or centimetre. Nothing if it differs by more than 1 %.
std::optional<Density> jpeg_density(const Resolution& resolution);

}  // namespace convtool
