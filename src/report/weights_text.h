// Weights for people to read.
#pragma once

#include <string>

#include "network/layer.h"

namespace convtool {

/// The weights as right-aligned columns, a line for each row, one block of rows for each input channel of each output
/// channel. With `colours` positive ones stand on orange and negative ones on blue, the larger the brighter (ECMA-48,
/// SGR, with xterm's 256 colours).
std::string weights_text(const Layer& layer, bool colours = false);

}  // namespace convtool
