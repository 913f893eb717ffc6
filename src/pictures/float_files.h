// Internal to pictures/: writing PFM and OpenEXR files of 32-bit floats, uncompressed.
#pragma once

#include "core/tensor.h"
#include "files/file.h"

namespace convtool {

/// Grey or R, G, B: Netpbm's pfm(5), with rows from the bottom up, and a negative scale for little-endian values.
Bytes write_pfm(const TensorView<float>& pixels);

/// Grey, R, G, B or either with alpha; grey with alpha is stored as R = G = B. One part of uncompressed scan lines
/// ("OpenEXR File Layout", openexr.com). A row must have less than 2^31 bytes.
Bytes write_exr(const TensorView<float>& pixels);

}  // namespace convtool
