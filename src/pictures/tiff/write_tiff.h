// Internal to pictures/: writing TIFF with libtiff.
#pragma once

#include "core/tensor.h"
#include "files/file.h"
#include "pictures/encode_options.h"
#include "pictures/metadata/picture_metadata.h"

namespace convtool {

/// The bytes of a file with `pixels`, which have any strides and 1 to 4 channels: grey, grey and alpha, RGB, RGBA.
/// Integers are differenced horizontally before compression (TIFF 6.0, section 14). Deflate (Adobe Photoshop TIFF
/// Technical Notes, 2002) is done by deflate_fast() on `options.threads` threads, LZW (section 13) by libtiff. The
/// bytes are the same for any number of threads. Alpha is marked as unassociated (ExtraSamples 2). `metadata` must
/// fit. Throws Error(output) if libtiff fails, and std::bad_alloc.
Bytes write_tiff(const ConstTensorRef& pixels, const EncodeOptions& options, const PictureMetadata& metadata);

}  // namespace convtool
