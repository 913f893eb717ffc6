// Edges as thin lines: what remains of a gradient's magnitude where it is largest across the edge.
#pragma once

#include "core/tensor.h"

namespace convtool {

/// Non-maximum suppression along the gradient (J. Canny, A Computational Approach to Edge Detection, 1986), which is
/// rounded to one of four directions, at 22.5 and 67.5 degrees. A pixel keeps its magnitude where that is more than at
/// one neighbour in this direction, and not less than at the other: along rows and columns the left or upper one, on
/// diagonals more than at both, so that a ridge two pixels wide leaves one. (The rule for equals is that of OpenCV's
/// Canny.) Others become 0, NaN too; outside the picture the magnitude is 0.
///
/// `gradient` has two f32 channels, towards the right and downwards; `magnitude` and `thinned`, which does not overlap
/// it, one f32 channel of the same n, h and w; columns are neighbours in memory. Throws std::bad_alloc.
void thin(const ConstTensorRef& gradient, const ConstTensorRef& magnitude, const TensorRef& thinned, int threads = 0);

}  // namespace convtool
