// Weights as a table.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "network/layer.h"

namespace convtool {

/// The weights as right-aligned columns, one line per row, with a block of rows for each input channel of each output
/// channel. With `colours`, cells have a background: white for 0, orange for positive weights, blue for negative ones,
/// stronger for larger weights, as --map signed (ECMA-48, SGR, with xterm's 256 colours).
///
/// With `columns`, the width of a window, kernels larger than 11x11 and those whose lines do not fit are drawn as cells
/// of two characters without numbers: backgrounds, or without colours a sign and one of five shades. A cell stands for
/// a square of weights where these do not fit otherwise, and shows the one that is largest in size.
std::string weights_text(const Layer& layer, bool colours = false, std::optional<std::size_t> columns = {});

}  // namespace convtool
