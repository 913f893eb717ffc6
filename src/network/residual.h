// Sums: layers that add the output of an earlier layer to their input, as residual blocks do.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/tensor.h"
#include "network/layer.h"

namespace convtool {

/// For each bank of `network`, the bank whose output it adds: the nearest before it that has the name. Nothing for
/// banks that add none. Throws Error(kernel) for a name that no earlier bank has.
std::vector<std::optional<std::size_t>> addends_of(const Network& network);

/// The last bank that adds the output of each bank; 0 for an output that none adds.
std::vector<std::size_t> last_uses(const std::vector<std::optional<std::size_t>>& addends);

/// Throws Error(shape) with both shapes unless the output `earlier` of bank `name` can be added to `input`.
void check_sum(const std::string& name, const Shape& earlier, const Shape& input);

/// sum = a + b, of f32 tensors of one shape with any strides; `sum` may be `a`.
void add(const ConstTensorRef& a, const ConstTensorRef& b, const TensorRef& sum, int threads);

}  // namespace convtool
