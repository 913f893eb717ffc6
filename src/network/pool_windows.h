// The windows of a pool: its sizes on one input, by the rules of torch.nn.
#pragma once

#include <string>

#include "network/layer.h"

namespace convtool {

/// The windows of `layer`, a pool, as a depthwise problem. A global pool has one window of the input's size. With
/// ceil_mode, the pads at the end reach as far as the last window, which starts inside the input or the padding before
/// it: a window that would start later is left out, as in PyTorch. Throws as make_problem() does.
ConvProblem pool_windows(const Layer& layer, DType dtype, const Shape& input);

/// The formula of the output's height or width, with numbers: "h = ceil((5 + 0 + 0 - 1*(2-1) - 1) / 2) + 1 = 3".
/// `windows` are those of `layer`.
std::string pool_height_formula(const Layer& layer, const ConvProblem& windows);
std::string pool_width_formula(const Layer& layer, const ConvProblem& windows);

}  // namespace convtool
