// How far rounding may take a response from the true one.
#pragma once

#include "conv/epilogue.h"
#include "conv/kernel.h"
#include "conv/problem.h"

namespace convtool {

/// The most by which a response may differ from the one that exact arithmetic and real weights, rounded to the kernel's
/// floats, would give, if no pixel is larger than `largest`; 0 where every sum is exact. For ConvProblem::direct_error.
double error_bound(const ConvProblem& problem, const Kernel& kernel, const Epilogue& epilogue, double largest);

}  // namespace convtool
