// Internal to pictures/: OpenCV's decoders, without their output, exceptions and temporary files.
#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <span>

#include "pictures/picture_type.h"

namespace convtool {

/// The pixels as OpenCV decodes them (IMREAD_UNCHANGED), or an empty matrix if it cannot. Throws Error(input) if the
/// decoder reports damage but continues, and Error(memory) if a copy of the file does not fit into memory. Thread-safe.
cv::Mat decode_by_opencv(std::span<const std::byte> bytes, PictureType type);

}  // namespace convtool
