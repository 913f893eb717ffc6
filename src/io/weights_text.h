// Weights for people to read.
#pragma once

#include <string>

#include "network/layer.h"

namespace convtool {

/// The weights as right-aligned columns, a line for each row, one block of rows for each input channel of each output
/// channel.
std::string weights_text(const Layer& layer);

}  // namespace convtool
