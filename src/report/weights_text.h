// Weights as a table.
#pragma once

#include <string>

#include "network/layer.h"

namespace convtool {

/// The weights as right-aligned columns, one line per row, with a block of rows for each input channel of each output
/// channel. With `colours`, positive weights have an orange background and negative ones a blue one, brighter for
/// larger weights (ECMA-48, SGR, with xterm's 256 colours).
std::string weights_text(const Layer& layer, bool colours = false);

}  // namespace convtool
