// Copies of weights whose vectors of output channels are filled up with zeros. Internal to conv/.
#pragma once

#include <cstdint>

#include "conv/problem.h"

namespace convtool {

/// The floats that `winograd` keeps for each weight: 16 for 9.
inline constexpr double kWinogradFloats = 16.0 / 9;

/// The weights with the output channels of each group filled up to whole vectors, as `packed` and `winograd` keep them.
double filled_weights(const ConvProblem& problem);

/// The most floats of any algorithm's copy.
double largest_copy(const ConvProblem& problem);

/// Whether a copy of `floats` numbers is too large, because most of them are zeros: it takes more than 16 MiB, and more
/// than four times the memory of the weights. Large kernels with few output channels have such copies, and so have
/// layers of many groups.
bool fills_up_too_much(const ConvProblem& problem, double floats);
inline constexpr const char* kFillsUpTooMuch = "its weights, filled up to whole vectors, would take more than 16 MiB";

}  // namespace convtool
