// How far rounding may take a response from the true one.
#pragma once

#include "conv/epilogue.h"
#include "conv/kernel.h"
#include "conv/problem.h"

namespace convtool {

/// The most by which a response may differ from the one that exact arithmetic would give with the weights before they
/// were rounded to floats, if no pixel or padding value that it sees is larger than `largest`: a + b * largest, or 0
/// where every sum is exact. `error_units` is that of the algorithm's Offer. Overflow is left out.
double error_bound(const ConvProblem& problem, const Kernel& kernel, const Epilogue& epilogue, double error_units,
                   double largest);

}  // namespace convtool
