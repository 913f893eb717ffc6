// The windows of a pool: what they may be, and their sizes on one input, by the rules of torch.nn.
#pragma once

#include <cstdint>
#include <string>

#include "network/layer.h"

namespace convtool {

/// The largest window of a pool in a file, in pixels.
inline constexpr std::int64_t kLargestWindow = std::int64_t{1} << 24;

/// How the padding of a pool is given: the same on both sides, where PyTorch allows half of the window, or four sides,
/// as in ONNX, each of which may have all but one of its pixels.
enum class PoolPadding { even, sides };

/// What is wrong with the padding of `layer`, a pool: "more than half of its size: ... (at most 1x1)", or "".
std::string pool_padding_flaw(const Layer& layer, PoolPadding given);

/// Whether all windows of `layer`, a mean pool, divide by the same number: it is not global, has no ceil_mode, and its
/// padding counts. Such a pool can be a kernel.
bool has_equal_windows(const Layer& layer);

/// Makes a pool with equal windows a kernel of ones, with their number as divisor. It runs in bands and as fast as any
/// kernel, but takes memory for each pixel of its window.
void use_ones(Layer& layer);

/// The windows of `layer`, a pool, as a depthwise problem. A global pool has one window of the input's size. With
/// ceil_mode, the pads at the end reach as far as the last window, which starts inside the input or the padding before
/// it: a window that would start later is left out, as in PyTorch. Throws as make_problem() does.
ConvProblem pool_windows(const Layer& layer, DType dtype, const Shape& input);

/// The pads of `layer`, whose windows are `windows`, without those that ceil_mode adds, which do not count in a mean.
const Pads& counted_pads(const Layer& layer, const ConvProblem& windows);

/// The formula of the output's height or width, with numbers: "h = ceil((5 + 0 + 0 - 1*(2-1) - 1) / 2) + 1 = 3".
/// `windows` are those of `layer`.
std::string pool_height_formula(const Layer& layer, const ConvProblem& windows);
std::string pool_width_formula(const Layer& layer, const ConvProblem& windows);

}  // namespace convtool
