// Thins edges: keeps the magnitude of a gradient only where it is largest across the edge.
#pragma once

#include "core/tensor.h"

namespace convtool {

/// Non-maximum suppression along the gradient (J. Canny, A Computational Approach to Edge Detection, 1986). The
/// direction of the gradient is rounded to a row, a column or one of the two diagonals, with limits at 22.5 and 67.5
/// degrees. A pixel keeps its magnitude if it exceeds that of both neighbours in this direction; along rows and columns
/// it may equal that of the right or lower one, so that a ridge two pixels wide leaves one. (The rule for equal
/// magnitudes is that of OpenCV's Canny.) All others become 0, NaN included. Outside the picture the magnitude is 0.
///
/// `gradient` has two f32 channels, to the right and downwards. `magnitude` and `thinned` have one f32 channel of the
/// same n, h and w, and do not overlap. In all three, columns are adjacent in memory. Throws std::bad_alloc.
void thin(const ConstTensorRef& gradient, const ConstTensorRef& magnitude, const TensorRef& thinned, int threads = 0);

}  // namespace convtool
