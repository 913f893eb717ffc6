// The edges of a Laplacian: where its response changes sign.
#pragma once

#include "core/tensor.h"

namespace convtool {

/// Zero crossings (D. Marr and E. Hildreth, Theory of edge detection, 1980). Where two neighbours in a row or column
/// have responses of different signs, the one nearer to 0, of equals the first, is an edge, as strong as they differ; a
/// response of 0 between two such is one too. A pixel that is an edge both ways has the greater strength; all others
/// have 0. Responses that are NaN have no sign. The picture's outside has none either.
///
/// `responses` and `strengths`, which does not overlap it, have one shape, any number of channels, in f32; columns are
/// neighbours in memory.
void zero_crossings(const ConstTensorRef& responses, const TensorRef& strengths, int threads = 0);

}  // namespace convtool
