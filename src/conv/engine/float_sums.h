// Where float is wide enough to sum in.
#pragma once

#include "conv/kernel.h"
#include "conv/problem.h"

namespace convtool {

/// True for f32 input; for integer input when max|x| * sum|w| < 2^24 for every output channel, x being a pixel or the
/// padding value: then float holds every partial sum of integer weights exactly, in any order.
bool float_sums_suffice(const ConvProblem& problem, const Kernel& kernel);

}  // namespace convtool
