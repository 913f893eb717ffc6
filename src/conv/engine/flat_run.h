// Running an algorithm on the flat view of a picture (flat.h) where input and output allow it. Internal to conv/.
#pragma once

#include <cstdint>
#include <optional>

#include "conv/engine/flat.h"
#include "conv/sink.h"

namespace convtool {

/// Calls run(picture, pixel, sink) once, where `pixel` is the number of columns per pixel: on the flat views of input
/// and output, or on both as they are with `pixel` = 1. They are flattened if channels_share_kernel(), which is
/// `may_flatten`, both are interleaved in the same order, and no sums of different channels are combined.
template <class Run>
void run_flat_where_possible(bool may_flatten, const ConstTensorRef& input, const Sink& sink, const Run& run) {
  const bool flat = may_flatten && is_interleaved(input) && sink.output_channels() == input.shape.c;
  if (const std::optional<Sink> flattened = flat ? sink.flattened(input) : std::nullopt)
    run(flat_view(input), input.shape.c, *flattened);
  else
    run(input, 1, sink);
}

}  // namespace convtool
