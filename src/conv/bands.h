// A convolution in bands: some of its output rows as a problem of its own, with the same bits.
#pragma once

#include "conv/problem.h"

namespace convtool {

/// Whether every output row of `whole` can be computed in a band. Where padding is constant, each has to see a row of
/// the picture.
bool has_bands(const ConvProblem& whole);

/// The input rows of the band that computes output rows `rows`. Constant padding stays padding, so the rows lie inside
/// the picture. With the other modes they may lie outside, and show the row that pad_index() names.
Range band_input(const ConvProblem& whole, const Range& rows);

/// Output rows `rows` of one picture of the batch; its input is the rows band_input(). `whole` has bands.
ConvProblem band_problem(const ConvProblem& whole, const Range& rows);

/// The problem of the whole picture to which `band` belongs; `band` itself if it is a whole picture already.
ConvProblem whole_problem(const ConvProblem& band);

}  // namespace convtool
