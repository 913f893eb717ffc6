// The input pixels that an output pixel sees, through one or more banks of kernels.
#pragma once

#include <span>

#include "conv/problem.h"

namespace convtool {

/// Along one axis, output position j sees the input positions [start + j*jump, start + j*jump + size). Positions below
/// 0 or past the end are padding. (The recurrences are those of Araujo, Norris and Sim, "Computing receptive fields of
/// convolutional neural networks", Distill, 2019.)
struct ReceptiveAxis {
  std::int64_t size = 1, jump = 1, start = 0;

  /// The middle of the input positions that output `j` sees; of two middles, the first. May lie in the padding.
  constexpr std::int64_t centre(std::int64_t j) const { return start + j * jump + (size - 1) / 2; }
};

struct ReceptiveField {
  ReceptiveAxis h, w;

  /// Appends a bank: kernels on the same input, with the same stride. An output sees every pixel that one of them sees.
  /// Throws Error(shape) when the numbers exceed 64 bits, as they do after many layers with strides.
  void append(std::span<const ConvProblem> bank);
};

}  // namespace convtool
