// Internal to kernels/onnx/: the operators of ONNX that become layers.
#pragma once

#include <optional>
#include <string_view>

#include "kernels/onnx/step.h"

namespace convtool {

/// Adds the layer that `step.node` is to `step.layers`, or makes it a part of the last one. Throws Stop with the reason
/// where it cannot, and as NodeGraph::constant() does.
void add_operator(const Step& step);

/// Adds an activation that multiplies a value by what it makes of it, x * sigmoid(x) or x * clip(x + 3, 0, 6) / 6,
/// where `step.node` is the first of the nodes that say so; it reads x, and so does a product. Returns the value that
/// the last of them writes; nothing if they are not such an activation.
std::optional<std::string_view> add_gate(const Step& step);

}  // namespace convtool
