// Reading and checking the header of a picture file, without decoding it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pictures/picture_header.h"

namespace convtool {

/// Reads the header, and checks the parts of the file that the decoder takes on trust: that a JPEG continues to its end
/// marker, and that all strips or tiles of a TIFF lie inside the file. Does not check the size of the picture.
///
/// Throws Error(input), without a path, for a file that is not a picture, is visibly damaged or truncated, or is of a
/// kind that is not decoded correctly. Sources: PNG specification, 3rd ed.; ITU T.81, annex B; TIFF 6.0 and the
/// BigTIFF design; the WebP container and bitstream guides (RFC 9649); Netpbm's pnm(5) and pfm(5); OpenEXR file layout;
/// BITMAPV4HEADER.
///
/// `page_at` is one of find_pages(); 0: the first page.
PictureHeader read_picture_header(std::span<const std::byte> bytes, std::uint64_t page_at = 0);

/// read_picture_header() that also throws Error(input) for a picture without pixels, with more than `max_pixels`, or
/// beyond OpenCV's limits of 2^30 pixels and 2^20 per side.
PictureHeader read_small_header(std::span<const std::byte> bytes, std::int64_t max_pixels, std::uint64_t page_at = 0);

/// Where the pages of a TIFF begin, at least one: its directories, those of thumbnails and masks included. Throws
/// Error(input) for a chain of directories that is damaged.
std::vector<std::uint64_t> find_pages(std::span<const std::byte> tiff);

/// Throws Error(input) for a picture without pixels, or with more than `max_pixels`.
void check_pixels(const PictureHeader& header, std::int64_t max_pixels);

/// A sentence for the user.
struct Remark {
  std::string text;
  bool once = false;       ///< in a run of several inputs, print it for the first one only
  std::string topic = {};  ///< with `once`: the first of all remarks on it; "" for those of the same text
};

/// Names the properties of a picture that are lost when it is filtered: further pages, an ICC profile, a gamma.
std::vector<Remark> remarks_on(const PictureHeader& header);

}  // namespace convtool
