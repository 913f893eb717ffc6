// The steps of a layer or network as an animation: the window slides, and the output fills.
#pragma once

#include <cstdint>

#include "files/buffer.h"
#include "show/explain/explanation.h"

namespace convtool {

inline constexpr std::int64_t kMostFrames = 400;

struct AnimationOptions {
  double cell = 40;  ///< as in FigureOptions
  double fps = 2;    ///< frames per second
  std::int64_t channel = 0;
};

/// Frames of an animation of `output`.
std::int64_t frame_count(const Shape& output);

/// Outputs from one frame to the next, so that there are at most kMostFrames: 1 where each output has a frame.
std::int64_t frame_step(const Shape& output);

/// A GIF with step_figure() for every frame_step()-th output of a channel, row by row, and the last one, which is shown
/// three times as long. Throws Error(usage) for a channel that is not there, and Error(shape) if the figure is larger
/// than 4096 pixels.
Bytes animate(const Trace& trace, const Explainer& explainer, const AnimationOptions& options);

}  // namespace convtool
