// The file formats in which pictures are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "pictures/pixel_format.h"

namespace convtool {

/// A format, and the pictures that it stores. They come back bit for bit when the file is read again, with four
/// exceptions: JPEG is as close as its quality allows, grey with alpha comes back from OpenEXR as R = G = B with alpha,
/// and grey from WebP as R = G = B; WebP keeps no alpha that is opaque throughout.
struct PictureFormat {
  std::string_view name;                     ///< "png"; also the value of --format
  std::vector<std::string_view> extensions;  ///< with the dot, in lower case, the usual one first
  std::vector<DType> dtypes;                 ///< element types that it stores
  std::vector<PixelFormat> pixels;           ///< channels that it stores
};

/// All formats, in the order in which messages list them.
std::span<const PictureFormat> picture_formats();

/// The format with this name or extension, in lower case and without a dot ("png", "jpg"), or null. For words typed by
/// a user see find_file_format().
const PictureFormat* find_picture_format(std::string_view name);

/// The format whose signature `bytes` begin with, or null.
const PictureFormat* sniff_picture_format(std::span<const std::byte> bytes);

/// Whether the format stores such a picture.
bool holds(const PictureFormat& format, DType dtype, PixelFormat pixels);

/// Throws Error(output) unless the format stores such a picture of this size, which has pixels.
void check_storable(const PictureFormat& format, DType dtype, PixelFormat pixels, std::int64_t height,
                    std::int64_t width);

/// Whether EncodeOptions::quality applies to the format.
bool has_quality(const PictureFormat& format);

}  // namespace convtool
