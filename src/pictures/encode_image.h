// Encoding picture files.
#pragma once

#include "pictures/encode_options.h"
#include "pictures/image.h"
#include "pictures/metadata/picture_metadata.h"
#include "pictures/picture_formats.h"

namespace convtool {

/// The bytes of a file in `format`. Every format but JPEG is lossless unless a quality is given. Throws Error(output)
/// if the format cannot store the picture (see holds()) or its size, or if the encoder fails. If `image` is the last
/// copy, its pixels are freed as soon as they are encoded. `metadata` must be what fit_metadata() left. Thread-safe;
/// for standard error see decode_image().
Bytes encode_image(Image image, const PictureFormat& format, const EncodeOptions& options = {},
                   const PictureMetadata& metadata = {});

}  // namespace convtool
