// Finds the taps that fall inside the picture, and decides whether the others may be left out. Internal to conv/.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/kernel.h"
#include "conv/padding.h"
#include "conv/problem.h"

namespace convtool {

/// Neighbouring output positions along one axis, and the taps that they have.
struct TapGroup {
  Range positions, taps;

  std::int64_t size() const { return positions.end - positions.begin; }
};

/// The groups along both axes, through all outputs.
struct TapGroups {
  std::vector<TapGroup> rows, columns;

  /// One group per axis, with all taps.
  static TapGroups all(const ConvProblem& problem);
  /// Only taps inside the picture, which are the same for all positions of a group. A group may have none.
  static TapGroups inside(const ConvProblem& problem);
};

/// Whether taps outside the picture may be left out: padding is 0 and every weight is finite, so their products are 0
/// and not NaN.
bool padding_adds_nothing(const ConvProblem& problem, const Kernel& kernel);

}  // namespace convtool
