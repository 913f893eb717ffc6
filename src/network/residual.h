// Residual blocks: layers that add the output of an earlier layer to their input, and layers that read the output of an
// earlier layer than the one before them.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/tensor.h"
#include "network/layer.h"

namespace convtool {

/// The layer called kInputName that copies the input, so that later layers can add or read it.
Layer input_copy();

/// Whether `bank` is the one that with_named_input() adds.
bool is_input_copy(const Bank& bank);

/// `network` with input_copy() as its first bank if a layer names the input. Throws Error(kernel) if another layer has
/// that name as well.
Network with_named_input(Network network);

/// For each bank of `network`, the bank whose output it adds: the one before it that has the name. Nothing for banks
/// that add none. Throws Error(kernel) for a name that no earlier bank has, or several have.
std::vector<std::optional<std::size_t>> addends_of(const Network& network);

/// Likewise, the bank whose output each bank reads; nothing for banks that read the one before them.
std::vector<std::optional<std::size_t>> sources_of(const Network& network);

/// The last bank that adds the output of each bank, or reads it though it is not the next; 0 if there is none.
std::vector<std::size_t> last_uses(const std::vector<std::optional<std::size_t>>& addends,
                                   const std::vector<std::optional<std::size_t>>& sources);

/// The output shape of each bank of `network` on this input. Throws as bank_geometry() does.
std::vector<Shape> output_shapes(const Network& network, DType input_dtype, const Shape& input);

/// Throws Error(shape) with both shapes unless the output `earlier` of bank `name` can be added to `input`.
void check_sum(const std::string& name, const Shape& earlier, const Shape& input);

/// sum = a + b, of f32 tensors of one shape with any strides; `sum` may be `a`.
void add(const ConstTensorRef& a, const ConstTensorRef& b, const TensorRef& sum, int threads);

}  // namespace convtool
