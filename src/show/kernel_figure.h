// The picture of a kernel file: heat maps and frequency responses.
#pragma once

#include "network/layer.h"
#include "show/drawing.h"

namespace convtool {

/// For every kernel of `network` its kernel_drawing(), and beside it the frequency response of its first output and
/// input channel: |H|, 0 black and the largest value white, frequency 0 in the middle and pi radians per pixel at the
/// edges. Pools have no picture; of many kernels the first few are shown, and a line says so. Throws Error(kernel) if
/// no kernel has weights.
Drawing kernel_figure(const Network& network);

}  // namespace convtool
