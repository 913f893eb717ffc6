// The picture of a kernel.
#pragma once

#include <optional>

#include "network/layer.h"
#include "show/drawing.h"

namespace convtool {

/// The weights of `layer`, which has some, as heat maps: white for 0, orange for positive weights, blue for negative
/// ones, in full colour at the largest absolute weight or at `largest`. Up to 11x11, numbers are in the cells. A row of
/// maps for each output channel, a column for each input channel; of many, the first few, and a line says so.
Drawing kernel_drawing(const Layer& layer, std::optional<double> largest = {});

/// The largest absolute weight.
double largest_weight(const Layer& layer);

}  // namespace convtool
