// Internal to kernels/onnx/: the operators of ONNX that become layers.
#pragma once

#include "kernels/onnx/step.h"

namespace convtool {

/// Adds the layer that `step.node` is to `step.layers`, or makes it a part of the last one. Throws Stop with the reason
/// where it cannot, and as NodeGraph::constant() does.
void add_operator(const Step& step);

/// x * sigmoid(x) and x * hardsigmoid(x) are activations: adds one if `step.node` is such a sigmoid, and `product` the
/// product of its input and its output. Else returns false.
bool add_gate(const Step& step, const OnnxNode& product);

}  // namespace convtool
