// Warnings about pixels that a network was not trained on.
#pragma once

#include <cstdint>
#include <optional>

#include "network/layer.h"
#include "pictures/image_header.h"

namespace convtool {

/// A remark where integers from 0 to `largest`, by default the largest of their type, are probably not scaled as
/// `network` expects: weights from a file of a trained model (Network::files) read them as they are, or `scaling` is
/// made for pixels of another range. Nothing otherwise.
std::optional<Remark> scaling_remark(const Network& network, const std::optional<InputScaling>& scaling,
                                     DType input_dtype, std::optional<std::int64_t> largest = {});

}  // namespace convtool
