// Internal to pictures/: writing PNG files ("Portable Network Graphics (PNG) Specification (Second Edition)", W3C
// 2003).
#pragma once

#include <memory>

#include "files/file.h"
#include "pictures/encode_options.h"
#include "pictures/image.h"
#include "pictures/metadata/picture_metadata.h"
#include "pictures/strip_encoder.h"

namespace convtool {

/// The bytes of a PNG file with the pixels of `image`, u8 or u16, compressed as a whole: see deflate(). The image is
/// released as soon as it is not needed. Level 0 does not filter. `metadata` must fit. Throws std::bad_alloc.
Bytes write_png(Image image, const EncodeOptions& options, const PictureMetadata& metadata);

/// An encoder for the default level, which filters and compresses strips of rows, each to an IDAT chunk. Null for other
/// levels and strategies, and for small pictures. Throws std::bad_alloc.
std::unique_ptr<StripEncoder> png_strip_encoder(const PictureShape& picture, const EncodeOptions& options,
                                                const PictureMetadata& metadata);

}  // namespace convtool
