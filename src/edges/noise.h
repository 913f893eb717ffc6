// Responses that rounding alone may have produced.
#pragma once

#include "conv/plan.h"
#include "core/tensor.h"

namespace convtool {

/// Sets to 0 the responses that are not above ConvPlan::error_bound(), so that flat areas have no edges. `responses`
/// (f32) are those of `plan` on `input`, one channel for each channel of the input. The bound takes the largest value
/// of an integer picture, and of floats, which may vary far more, the largest one near the response.
void clear_noise(const ConvPlan& plan, const ConstTensorRef& input, const TensorRef& responses, int threads);

}  // namespace convtool
