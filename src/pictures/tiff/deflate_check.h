// Internal to pictures/: the checksum of Deflate data in TIFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pictures/tiff/layout.h"
#include "pictures/tiff/libtiff_file.h"

namespace convtool {

/// Whether strip or tile number `block`, which libtiff has decoded to `rows` of `row_bytes` each, has the right
/// checksum (RFC 1950). libtiff does not look at it where the data decodes to more bytes. Throws std::bad_alloc.
bool has_sound_deflate(const TiffInput& file, const TiffLayout& layout, std::uint32_t block,
                       std::span<const std::byte> rows, std::size_t row_bytes);

}  // namespace convtool
