// The memory that the weights of a convolution take.
#pragma once

#include "conv/problem.h"

namespace convtool {

/// The floats that are kept of a kernel, at most: its weights in the network and in the plan, a copy in the order of an
/// algorithm, and the doubles in which the products of a column and a row are looked for (conv/low_rank.h).
double kept_weights(const ConvProblem& problem);

}  // namespace convtool
