// The edges of a Laplacian: the places where its response changes sign.
#pragma once

#include "core/tensor.h"

namespace convtool {

/// Zero crossings (D. Marr and E. Hildreth, Theory of edge detection, 1980). Where two neighbours in a row or column
/// have responses of different signs, the one nearer to 0 is an edge (the first, if they are equally near), and its
/// strength is the difference of the two responses. A response of 0 between two neighbours of different signs is an
/// edge as well. A pixel that is an edge along both its row and its column gets the greater strength. All other pixels
/// get 0. NaN has no sign, and neither has anything outside the picture.
///
/// `responses` and `strengths` are f32, have the same shape with any number of channels, and do not overlap. Columns
/// are adjacent in memory.
void zero_crossings(const ConstTensorRef& responses, const TensorRef& strengths, int threads = 0);

}  // namespace convtool
