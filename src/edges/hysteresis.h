// From the strengths of edges to a decision for each pixel.
#pragma once

#include "core/tensor.h"

namespace convtool {

struct Thresholds {
  double low = 0, high = 0;  ///< low <= high, in the units of the strength
};

/// Thresholding with hysteresis (J. Canny, A Computational Approach to Edge Detection, 1986). Pixels above `high` are
/// edges, and so are pixels above `low` that are connected to one through pixels above `low`; each pixel is connected
/// to its eight neighbours. Edges become 255, everything else 0. NaN is not an edge.
///
/// `strength` has one f32 channel; `edges` is u8 and has the same shape. Columns are adjacent in memory. Throws
/// std::bad_alloc.
void hysteresis(const ConstTensorRef& strength, const Thresholds& thresholds, const TensorRef& edges, int threads = 0);

/// Otsu's threshold as `high`, and half of it as `low`. It divides the strengths above 0 into the two classes with the
/// greatest variance between them (N. Otsu, A Threshold Selection Method from Gray-Level Histograms, 1979), by a
/// histogram of 256 bins of equal width from 0 to the largest strength. Both are 0 where no strength is above 0. Throws
/// Error(shape) when a strength is infinite.
Thresholds otsu_thresholds(const ConstTensorRef& strength);

}  // namespace convtool
