// Internal to pictures/: the run lengths of BMP.
#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <span>

#include "pictures/headers/bmp_layout.h"

namespace convtool {

/// The indices of a BMP in RLE8 or RLE4 (Microsoft, "Bitmap Compression"), one byte each. What passes the end of a row
/// is dropped. Pixels that the data skips, or does not reach before its end of bitmap, are 0. Throws Error(input) if
/// the data ends before the end of bitmap and before the last pixel.
cv::Mat decode_run_lengths(std::span<const std::byte> bytes, const BmpLayout& layout);

}  // namespace convtool
