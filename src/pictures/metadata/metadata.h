// Reading the metadata of picture files, and choosing what an output can carry.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "pictures/metadata/picture_metadata.h"
#include "pictures/pixel_format.h"

namespace convtool {

/// Reads the metadata of a PNG, JPEG, WebP or TIFF whose header is `header`; other formats have none. Damaged parts are
/// left out. The resolution may be that of the EXIF block. Does not throw, except std::bad_alloc.
PictureMetadata read_metadata(std::span<const std::byte> bytes, const PictureHeader& header);

/// Removes the parts that a result cannot carry, and appends a remark on each, and those on damaged parts, to
/// `remarks`: parts that the format `name` cannot store, and a profile for other colours than those of the result.
/// `pixels` is nothing for a tensor.
void fit_metadata(PictureMetadata& metadata, std::string_view name, std::optional<PixelFormat> pixels,
                  std::vector<Remark>& remarks);

}  // namespace convtool
