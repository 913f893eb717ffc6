// Results are checked before they are timed.
#pragma once

#include <string>
#include <string_view>

#include "bench/workload.h"
#include "core/tensor.h"

namespace convtool {

/// Compares `output`, which `algorithm` made of `input`, with sums in double by the definition, at some hundred places:
/// corners, edges and anywhere. Sums of integers with integer weights must be exact, others within a bound. Returns
/// what is wrong, or "".
std::string check_by_definition(const Workload& workload, const ConstTensorRef& input, const ConstTensorRef& output,
                                std::string_view algorithm);

/// The largest distance between elements of two outputs, NaN if one is NaN.
double largest_difference(const ConstTensorRef& a, const ConstTensorRef& b);

/// How far results of peers may be from ours in f32: twice the bound of direct sums, for the largest input.
double allowed_difference(const Workload& workload);

}  // namespace convtool
