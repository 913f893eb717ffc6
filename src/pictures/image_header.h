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

/// The number of pictures in `bytes`, which begin with one: each follows the end of the one before it directly, or
/// white space after numbers in text, and its header can be read. Those that the index of a JPEG lists are a part of
/// it. Nothing is known to follow a TIFF or OpenEXR whose parts are not all in `bytes`. At most 65536.
std::int64_t count_pictures(std::span<const std::byte> bytes);

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

/// Says how many pages or pictures a file has where only the first is read.
std::vector<Remark> remarks_on_others(const PictureHeader& header);

/// The same, and the properties of the first that are lost when it is filtered: an ICC profile, a gamma.
std::vector<Remark> remarks_on(const PictureHeader& header);

}  // namespace convtool
