// Internal to pictures/: the decoders, one function per format or library.
//
// Each returns the pixels in OpenCV's order: grey; grey, alpha; B, G, R; or B, G, R, A. An empty matrix means that the
// library cannot decode the file. `bytes` begin with the format's signature, and `header` is their header, whose size
// has been checked. All throw Error(input) for damaged or missing pixels and std::bad_alloc, and are thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <opencv2/core.hpp>
#include <span>

#include "pictures/image.h"
#include "pictures/picture_header.h"
#include "pictures/picture_rows.h"

namespace convtool {

/// BMP of every kind that read_bmp_layout() accepts. Channels of other than 8 bits are scaled to 0..255, rounded to
/// nearest.
cv::Mat decode_bmp(std::span<const std::byte> bytes);

/// OpenEXR with its own library. Luminance and chroma become RGB in half floats.
cv::Mat decode_exr(std::span<const std::byte> bytes, const PictureHeader& header);

/// JPEG with libjpeg. CMYK and YCCK become RGB.
cv::Mat decode_jpeg(std::span<const std::byte> bytes, const PictureHeader& header);

/// The rows of a JPEG, or null if libjpeg cannot read its header. Reads `bytes` later.
std::unique_ptr<PictureRows> jpeg_rows(std::span<const std::byte> bytes, const PictureHeader& header,
                                       ColourOrder order);

/// PFM, in the order of Image. Values are divided by the absolute value of the file's scale in double, and rounded to
/// float.
Image decode_pfm(std::span<const std::byte> bytes);

/// PNG with OpenCV: what read_usual_png() leaves (png/read_png.h).
cv::Mat decode_png(std::span<const std::byte> bytes);

/// PNM, P1 to P6, in the order of Image. Values are scaled to the full range, and are 0 and 255 for P1 and P4.
Image decode_pnm(std::span<const std::byte> bytes);

/// WebP with libwebp.
cv::Mat decode_webp(std::span<const std::byte> bytes, const PictureHeader& header);

}  // namespace convtool
