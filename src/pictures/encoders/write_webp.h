// Internal to pictures/: writing WebP with libwebp.
#pragma once

#include <optional>

#include "core/tensor.h"
#include "files/buffer.h"

namespace convtool {

/// Grey, R, G, B or either with alpha; grey is stored as R = G = B. Lossless, colours below zero alpha included,
/// without a quality, which is 1 to 100. Sides have at most 16383 pixels. Nothing if the encoder fails.
Bytes write_webp(const TensorView<std::uint8_t>& pixels, std::optional<int> quality);

}  // namespace convtool
