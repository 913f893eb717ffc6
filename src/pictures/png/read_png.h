// Internal to pictures/: reading of the usual kinds of PNG ("Portable Network Graphics (PNG) Specification (Second
// Edition)", W3C 2003).
#pragma once

#include <cstddef>
#include <memory>
#include <opencv2/core.hpp>
#include <span>

#include "pictures/picture_header.h"
#include "pictures/picture_rows.h"

namespace convtool {

/// The pixels of a PNG with 8 or 16 bits a sample, without palette, transparent colour, interlacing or animation, in
/// the order of ImagePixels::mat, not yet upright. The stream is decompressed on one thread and unfiltered on another,
/// with `threads` of 1 both on this one.
///
/// Empty for other kinds, and for a file in which anything is unusual: whatever libpng would refuse or complain of, and
/// some of what it would not. A file that is read gives the pixels that libpng gives. Thread-safe. Throws
/// std::bad_alloc.
cv::Mat read_usual_png(std::span<const std::byte> bytes, const PictureHeader& header, int threads);

/// The rows of such a PNG, or null for other kinds. Reads `bytes` later.
std::unique_ptr<PictureRows> usual_png_rows(std::span<const std::byte> bytes, const PictureHeader& header,
                                            ColourOrder order);

}  // namespace convtool
