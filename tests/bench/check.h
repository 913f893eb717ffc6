// Checks of results, made before anything is timed.
#pragma once

#include <string>
#include <string_view>

#include "bench/workload.h"
#include "core/tensor.h"

namespace convtool {

/// Compares `output`, which `algorithm` computed from `input`, with sums in double by the definition, at a few hundred
/// places: in corners, on edges and elsewhere. Sums of integers with integer weights must be exact, others within a
/// bound. Returns a description of the first wrong value, or "".
std::string check_by_definition(const Workload& workload, const ConstTensorRef& input, const ConstTensorRef& output,
                                std::string_view algorithm);

/// The largest difference between corresponding elements of two outputs; NaN if any element is NaN.
double largest_difference(const ConstTensorRef& a, const ConstTensorRef& b);

/// The difference allowed between a peer's result and ours in f32: twice the bound of direct sums, for the largest
/// input.
double allowed_difference(const Workload& workload);

}  // namespace convtool
