// Internal to pictures/: decoding TIFF with libtiff.
#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <span>

#include "pictures/picture_header.h"
#include "pictures/pixel_format.h"

namespace convtool {

struct DecodedTiff {
  cv::Mat pixels;  ///< as in ImagePixels::mat, not yet turned upright
  PixelFormat format = PixelFormat::grey;
};

/// Decodes the page of a TIFF whose read_tiff_header() is `header`. Throws Error(input) if libtiff reports damage
/// in any words, or leaves a part of a strip or tile undecoded. `threads` is as in parallel_for(); no more are used
/// than PictureHeader::most_threads. Thread-safe.
DecodedTiff decode_tiff(std::span<const std::byte> bytes, const PictureHeader& header, int threads);

}  // namespace convtool
