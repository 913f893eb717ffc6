// Alpha, set aside while the colours are filtered, and attached again to the result.
#pragma once

#include "core/tensor.h"
#include "network/receptive_field.h"

namespace convtool {

/// Fills `output` (one channel) with the alpha of `input` (one channel) at the centre of each output's receptive field;
/// a centre in the padding takes the nearest pixel, so what is opaque all over stays so. From an integer type to
/// another, and from f32 (0..1) to an integer type, alpha is rescaled to the full range and rounded, ties to even; to
/// f32 it keeps its numbers, as colours do.
void resample_alpha(const ConstTensorRef& input, const ReceptiveField& field, const TensorRef& output);

}  // namespace convtool
