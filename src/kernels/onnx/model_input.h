// Internal to kernels/onnx/: the input of a model that is a picture.
#pragma once

#include "kernels/onnx/layer_stack.h"
#include "kernels/onnx/node_graph.h"

namespace convtool {

/// The first input of rank 4 that a node reads and that is not an initializer as well, as all were before version 4 of
/// the format. Throws Error(kernel, path) if there is none.
const OnnxValue& picture_input(const NodeGraph& nodes);

/// What the model says of this input.
InputLayout input_layout(const NodeGraph& graph, const OnnxValue& input);

/// Whether the node turns N x H x W x C, as TensorFlow stores pictures, into N x C x H x W.
bool is_channels_first(const OnnxNode& node);

}  // namespace convtool
