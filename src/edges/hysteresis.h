// From the strength of edges to a decision for each pixel.
#pragma once

#include "core/tensor.h"

namespace convtool {

struct Thresholds {
  double low = 0, high = 0;  ///< low <= high, in the units of the strength
};

/// Thresholding with hysteresis (J. Canny, A Computational Approach to Edge Detection, 1986): an edge is what is
/// stronger than `high`, and what is stronger than `low` and touches an edge, over any number of such pixels; the eight
/// neighbours of a pixel touch it. Edges become the full range of u8, all else 0. NaN is no edge.
///
/// `strength` has one f32 channel; `edges`, of the same shape, is u8; columns are neighbours in memory. Throws
/// std::bad_alloc.
void hysteresis(const ConstTensorRef& strength, const Thresholds& thresholds, const TensorRef& edges, int threads = 0);

/// `high` parts the strengths above 0 into two classes that differ most (N. Otsu, A Threshold Selection Method from
/// Gray-Level Histograms, 1979; 256 classes of equal width from 0 to the largest), `low` is half of it. Both are 0
/// where nothing is above 0. Throws Error(shape) when a strength is infinite.
Thresholds otsu_thresholds(const ConstTensorRef& strength);

}  // namespace convtool
