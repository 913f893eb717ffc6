// Paints edges on the picture in which they were found.
#pragma once

#include <array>

#include "core/tensor.h"

namespace convtool {

/// Paints `color` wherever `edges` (u8, one channel) is not 0. `color` is R, G, B, where 1 stands for `full`, the full
/// intensity of the picture. `picture` has three channels of any type and the same n, h and w.
void paint_edges(const ConstTensorRef& edges, const std::array<double, 3>& color, double full, const TensorRef& picture,
                 int threads);

}  // namespace convtool
