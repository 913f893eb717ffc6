// Internal to pictures/: writing PNG files ("Portable Network Graphics (PNG) Specification (Second Edition)", W3C
// 2003).
#pragma once

#include <optional>

#include "files/file.h"
#include "pictures/encode_options.h"
#include "pictures/image.h"
#include "pictures/metadata/picture_metadata.h"

namespace convtool {

/// The bytes of a PNG file with the pixels of `image`, u8 or u16, which is released as soon as it is not needed. By
/// default it is filtered and compressed in strips of rows on `options.threads` threads, each to an IDAT chunk; the
/// bytes are the same for any number of threads. Small pictures, other levels and strategies are compressed as a whole:
/// see deflate(). Level 0 does not filter. `metadata` must fit. Throws std::bad_alloc.
Bytes write_png(Image image, const EncodeOptions& options, const PictureMetadata& metadata);

}  // namespace convtool
