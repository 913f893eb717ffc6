// Internal to pictures/: writing OpenEXR files of 32-bit floats, uncompressed.
#pragma once

#include "core/tensor.h"
#include "files/file.h"

namespace convtool {

/// Grey, R, G, B or either with alpha; grey with alpha is stored as R = G = B. One part of uncompressed scan lines
/// ("OpenEXR File Layout", openexr.com). A row must have less than 2^31 bytes.
Bytes write_exr(const TensorView<float>& pixels);

}  // namespace convtool
