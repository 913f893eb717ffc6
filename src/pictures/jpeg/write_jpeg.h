// Internal to pictures/: writing JPEG.
#pragma once

#include <memory>

#include "pictures/encode_options.h"
#include "pictures/metadata/picture_metadata.h"
#include "pictures/strip_encoder.h"

namespace convtool {

/// The encoder of a baseline JPEG of 8-bit pixels, grey or RGB, with chroma at half the resolution in both directions
/// and libjpeg's default Huffman codes. The quality is 95 by default. Strips of a large picture are joined by restart
/// markers. Rows have samples next to each other, in the order R, G, B or B, G, R. `metadata` must fit. encode() throws
/// Error(output) for a picture of more than 65500 pixels on a side.
std::unique_ptr<StripEncoder> jpeg_strip_encoder(const PictureShape& picture, const EncodeOptions& options,
                                                 const PictureMetadata& metadata);

}  // namespace convtool
