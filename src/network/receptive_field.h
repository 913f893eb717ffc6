// Which input pixels an output pixel sees, through one layer or many.
#pragma once

#include "conv/problem.h"

namespace convtool {

/// Along one axis, output position j sees the input positions [start + j*jump, start + j*jump + size).
/// Positions below 0 or past the end are padding. (The recurrences are those of Araujo, Norris and Sim, "Computing
/// receptive fields of convolutional neural networks", Distill, 2019.)
struct ReceptiveAxis {
  std::int64_t size = 1, jump = 1, start = 0;

  /// The input position in the middle of what output `j` sees; of two middles the first. May lie in the padding.
  constexpr std::int64_t centre(std::int64_t j) const { return start + j * jump + (size - 1) / 2; }

  /// Puts a layer with this dilated kernel extent, stride and leading pad behind what is there.
  constexpr void append(std::int64_t extent, std::int64_t stride, std::int64_t pad_begin) {
    size += (extent - 1) * jump;
    start -= pad_begin * jump;
    jump *= stride;
  }
};

struct ReceptiveField {
  ReceptiveAxis h, w;

  void append(const ConvProblem& problem) {
    const Extent extent = dilated_kernel(problem.kernel, problem.dilation);
    h.append(extent.h, problem.stride.h, problem.pads.top);
    w.append(extent.w, problem.stride.w, problem.pads.left);
  }
};

}  // namespace convtool
