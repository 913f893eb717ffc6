// Alpha is not filtered with the colours; it is resampled and attached to the result.
#pragma once

#include "core/tensor.h"
#include "network/receptive_field.h"

namespace convtool {

/// Fills `output` (one channel) with the alpha of `input` (one channel) at the centre of each output's receptive field.
/// For a centre in the padding it takes the nearest pixel, so an opaque picture stays opaque. Between integer types,
/// and from f32 (0..1) to an integer type, alpha is rescaled to the full range and rounded to nearest, ties to even. To
/// f32 it keeps its values, as colours do.
void resample_alpha(const ConstTensorRef& input, const ReceptiveField& field, const TensorRef& output);

}  // namespace convtool
