// Internal to pictures/: writing TIFF with libtiff.
#pragma once

#include "core/tensor.h"
#include "files/file.h"

namespace convtool {

/// The bytes of a file with `pixels`, which have any strides and 1 to 4 channels: grey, grey and alpha, RGB, RGBA.
/// Integers are compressed with LZW after horizontal differencing (TIFF 6.0, sections 13 and 14), floats are not
/// compressed. Alpha is marked as unassociated (ExtraSamples 2). Throws Error(output) if libtiff fails, and
/// std::bad_alloc.
Bytes write_tiff(const ConstTensorRef& pixels);

}  // namespace convtool
