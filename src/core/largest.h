// The largest value of a tensor.
#pragma once

#include "core/tensor.h"

namespace convtool {

/// The largest absolute value; values that are not finite do not count. 0 if there are none.
double largest_magnitude(const ConstTensorRef& tensor, int threads);

}  // namespace convtool
