// The figure of one step: the input with its window, the kernel, the output, and the arithmetic.
#pragma once

#include <cstdint>
#include <optional>

#include "show/drawing.h"
#include "show/explain/explanation.h"

namespace convtool {

/// Inputs with at most this many rows and columns, padding included, and their outputs are drawn as grids of numbers.
/// Of larger ones the picture is drawn, and the window beside it.
inline constexpr std::int64_t kLargestGrid = 24;

struct FigureOptions {
  double cell = 40;  ///< pixels of a cell
  /// How many outputs of the channel are filled in, row by row; nothing: all.
  std::optional<std::int64_t> outputs;
};

/// Of a layer: its input channels and kernels, one row for each, and the output. Of a network: the input and the output
/// of every layer, in rows no wider than a common screen, with the windows that lead to the output. The size of the
/// drawing depends on the trace and the options, not on the place. Numbers are left out where cells are too small for
/// them.
Drawing step_figure(const Explanation& explanation, const FigureOptions& options);

}  // namespace convtool
