// The warning about a model that reads pixels as they are.
#pragma once

#include <optional>

#include "network/layer.h"
#include "pictures/image_header.h"

namespace convtool {

/// A remark for weights from a file of a trained model (Network::files) that run on integers as they are, 0..255 or
/// 0..65535, since neither the network nor an option scales them; nothing where there is no cause.
std::optional<Remark> scaling_remark(const Network& network, bool is_scaled, DType input_dtype);

}  // namespace convtool
