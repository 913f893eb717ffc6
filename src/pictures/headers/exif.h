// The orientation in an EXIF block, the only part of EXIF that affects pixels.
#pragma once

#include <cstddef>
#include <span>

namespace convtool {

/// The sides of the upright picture on which the first row and the first column of the stored picture lie. The numbers
/// are those of the tag Orientation (TIFF 6.0, section 8; Exif 2.32, section 4.6.4). The comments describe the stored
/// picture.
enum class Orientation {
  top_left = 1,  ///< upright
  top_right,     ///< mirrored left to right
  bottom_right,  ///< rotated by 180 degrees
  bottom_left,   ///< mirrored top to bottom
  left_top,      ///< transposed
  right_top,     ///< upright when rotated clockwise by 90 degrees
  right_bottom,  ///< transposed, and rotated by 180 degrees
  left_bottom,   ///< upright when rotated counter-clockwise by 90 degrees
};

/// Reads an EXIF block, which is a TIFF without pixels, in some files after "Exif" and two zeros. Returns top_left if
/// the block gives no orientation or is damaged: damaged metadata is not a reason to reject a picture.
Orientation read_exif_orientation(std::span<const std::byte> block);

}  // namespace convtool
