// Internal to pictures/: read_picture_header(), one function per format. `bytes` begin with the format's signature.
#pragma once

#include <cstddef>
#include <span>

#include "pictures/picture_header.h"

namespace convtool {

PictureHeader read_png_header(std::span<const std::byte> bytes);
PictureHeader read_jpeg_header(std::span<const std::byte> bytes);
/// Of the page whose directory begins at `page_at`; 0: the first.
PictureHeader read_tiff_header(std::span<const std::byte> bytes, std::uint64_t page_at);
PictureHeader read_bmp_header(std::span<const std::byte> bytes);
PictureHeader read_webp_header(std::span<const std::byte> bytes);
PictureHeader read_pnm_header(std::span<const std::byte> bytes);
PictureHeader read_pfm_header(std::span<const std::byte> bytes);
PictureHeader read_exr_header(std::span<const std::byte> bytes);

}  // namespace convtool
