// Internal to pictures/: where a TIFF ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace convtool {

/// The end of the last part of the TIFF that `bytes` begin with: of its directories (pages, those below them, EXIF,
/// GPS), their values, strips, tiles and the streams and tables of old-style JPEG, and of the four bytes that GDAL
/// repeats after each tile of a Cloud Optimized GeoTIFF. A part that only a maker's private tag points to is not known.
/// Throws Error(input) where a part is damaged or outside of `bytes`, or nothing says how long it is.
std::uint64_t find_tiff_end(std::span<const std::byte> bytes);

}  // namespace convtool
