// Edges over the picture that they were found in.
#pragma once

#include <array>

#include "core/tensor.h"

namespace convtool {

/// Paints `color` (R, G, B, 1 being the picture's full intensity, `full`) wherever `edges` (u8, one channel) is not 0.
/// `picture` has three channels of any type; n, h and w are the same.
void paint_edges(const ConstTensorRef& edges, const std::array<double, 3>& color, double full, const TensorRef& picture,
                 int threads);

}  // namespace convtool
