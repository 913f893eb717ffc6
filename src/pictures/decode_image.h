// Decoding picture files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "pictures/image.h"
#include "pictures/picture_header.h"
#include "pictures/picture_rows.h"

namespace convtool {

/// Decodes a PNG, JPEG, TIFF, BMP, WebP, PNM, PFM or OpenEXR file, recognised by its content.
///
/// - Unsigned integers of up to 8 bits per channel become u8, of up to 16 bits u16, scaled to the full range: in a PGM
///   with the largest value 15, 15 becomes 255. A BMP becomes u8, whatever its masks. Wider integers, signed integers
///   and floats become f32 with unchanged values, or the nearest ones, except that PFM values are divided by the file's
///   scale. Black is 0.
/// - Grey stays grey, and alpha stays a separate channel: colours are never multiplied by it, and colours that the file
///   stores multiplied by it (associated alpha in TIFF) are divided by it. Palettes, CMYK and CIELAB become RGB, a
///   palette with transparency RGBA; a single transparent colour or grey becomes alpha.
/// - The picture is upright, by the orientation in EXIF or TIFF. Only the first of several pages is decoded.
///
/// Throws Error(input), without a path, for a file that is not such a picture, is damaged or truncated, is of a kind
/// that is not decoded correctly, has no pixels, or exceeds `max_pixels` or OpenCV's limits of 2^30 pixels and 2^20 per
/// side, which are checked in the header. Truncation is an error in every format, except inside the last number of a
/// text PNM.
///
/// Damage goes unnoticed where nothing in the file contradicts it: in pixels that are stored uncompressed (BMP, PNM,
/// PFM, uncompressed TIFF and OpenEXR), and in compressed pixels without a checksum (JPEG, WebP, run lengths, most
/// compressions of TIFF) as long as every pixel decodes to some value.
///
/// Thread-safe. While it runs, other threads must print to standard error through print_to_stderr()
/// (files/stderr_capture.h).
Image decode_image(std::span<const std::byte> bytes, std::int64_t max_pixels);

/// The same for a file whose read_small_header() is `header`, on at most `threads` threads. More than one are used for
/// PNG.
Image decode_image(std::span<const std::byte> bytes, const PictureHeader& header, int threads = 1);

/// Decodes `bytes`, a file whose read_small_header() is `header`, while they are valid. `order` is that of colours;
/// with alpha they are always in R, G, B. The pixels are those of decode_image(). Returns null for pictures that are
/// decoded as a whole: those in other formats than PNG and JPEG, that are not stored upright and row by row, or are
/// unusual in other ways. Where a read fails, decode_image() says what is wrong, or what a damaged file is worth.
std::unique_ptr<PictureRows> open_picture_rows(std::span<const std::byte> bytes, const PictureHeader& header,
                                               ColourOrder order);

/// An upper bound for the bytes that decoding takes at one time: the file, of `file_bytes` bytes, its pixels, and what
/// the decoder needs.
std::int64_t decoding_memory(const PictureHeader& header, std::int64_t file_bytes);

}  // namespace convtool
