// Encoding picture files.
#pragma once

#include <memory>

#include "pictures/encode_options.h"
#include "pictures/image.h"
#include "pictures/metadata/picture_metadata.h"
#include "pictures/picture_formats.h"
#include "pictures/strip_encoder.h"

namespace convtool {

/// The bytes of a file in `format`. Every format but JPEG is lossless unless a quality is given. Throws Error(output)
/// if the format cannot store the picture (see holds()) or its size, or if the encoder fails. If `image` is the last
/// copy, its pixels are freed as soon as they are encoded. `metadata` must be what fit_metadata() left. Thread-safe;
/// for standard error see decode_image().
Bytes encode_image(Image image, const PictureFormat& format, const EncodeOptions& options = {},
                   const PictureMetadata& metadata = {});

/// An encoder for a picture, or null where a file in this format, with these options, is made as a whole. The bytes
/// depend only on the pixels: encode_image(), which says more on options and metadata, makes the same. Throws
/// Error(output) if the format cannot store the picture.
std::unique_ptr<StripEncoder> make_strip_encoder(const PictureFormat& format, const PictureShape& picture,
                                                 const EncodeOptions& options, const PictureMetadata& metadata);

}  // namespace convtool
