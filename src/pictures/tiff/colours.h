// Internal to pictures/: from the samples of a TIFF to the channels of a picture.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

#include "pictures/tiff/layout.h"

namespace convtool {

/// Converts `samples`, the values of the file with TiffLayout::samples channels, to the channels of ImagePixels::mat:
///
/// - Unsigned samples of up to 16 bits are scaled to the full range, rounding down, with black at 0.
/// - Colours that the file stores multiplied by alpha are divided by it: C * largest / alpha, rounded down, at most the
///   largest value; C / alpha in f32. They are 0 where alpha is 0.
/// - A palette, which `colour_map` lists as in the tag ColorMap, all red values first, becomes RGB.
/// - CMYK becomes RGB by (1 - C) * (1 - K), where 1 is the largest value, scaled to the full range and rounded once, to
///   nearest.
/// - CIELAB becomes sRGB, with its white as white; LogLuv, decoded to CIE XYZ, becomes linear RGB with the primaries of
///   sRGB.
void settle_colours(cv::Mat& samples, const TiffLayout& layout, const std::vector<std::uint64_t>& colour_map);

}  // namespace convtool
