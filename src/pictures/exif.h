// The one thing that EXIF says about a picture which changes its pixels: how it was held.
#pragma once

#include <cstddef>
#include <span>

namespace convtool {

/// How a stored picture lies, by where its first row and first column are in the upright one. The numbers are those of
/// the tag Orientation (TIFF 6.0, section 8; Exif 2.32, section 4.6.4).
enum class Orientation {
  top_left = 1,  ///< upright
  top_right,     ///< mirrored left to right
  bottom_right,  ///< turned by 180 degrees
  bottom_left,   ///< mirrored top to bottom
  left_top,      ///< rows are columns
  right_top,     ///< to be turned clockwise
  right_bottom,  ///< rows are columns, and turned by 180 degrees
  left_bottom,   ///< to be turned counter-clockwise
};

/// Reads an EXIF block: a TIFF without pixels, in some files after "Exif" and two zeros. Upright when it says nothing
/// of it, or makes no sense: a picture is not refused for what stands beside it.
Orientation read_exif_orientation(std::span<const std::byte> block);

}  // namespace convtool
