// The memory that the weights of a convolution take.
#pragma once

#include "conv/problem.h"

namespace convtool {

/// The floats that are kept of a kernel, at most: its weights in the network and in the plan, a copy in the order of an
/// algorithm, and the doubles in which the products of a column and a row are looked for (conv/low_rank.h).
double kept_weights(const ConvProblem& problem);

/// Whether a copy whose vectors of output channels are filled up with zeros is larger than kept_weights() allows:
/// that of a large kernel with few output channels. Internal to conv/, as is the sentence on it.
bool fills_up_too_much(const ConvProblem& problem);
inline constexpr const char* kFillsUpTooMuch = "its weights, filled up to whole vectors, would take more than 16 MiB";

}  // namespace convtool
