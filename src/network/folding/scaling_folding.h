// Folds a layer that scales each channel into the layer after it.
#pragma once

#include <optional>

#include "network/bank_plan.h"
#include "network/layer.h"

namespace convtool {

/// A bank that computes what `first` and then `second` do on this input, where `first` is a single layer of size 1x1
/// without an activation that gives every channel of its input once, in any order, scaled and shifted: y = x / d + b. A
/// sum of products of such values is a sum of products of the pixels, with weights over d, plus the sum of the weights
/// times b:
///
///   sum of w * (x / d + b) = sum of (w / d) * x + b * sum of w
///
/// This holds at the border too if padding shows pixels, or if it is 0 and so is b. Nothing where it does not hold, or
/// where the kernels are not convolutions. Divisors take d where it is the same for all channels of a sum, and weights
/// stay as they are.
std::optional<Bank> fold_scaling(const Bank& first, const Bank& second, DType dtype, const Shape& input);

}  // namespace convtool
