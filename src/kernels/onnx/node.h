// Internal to kernels/onnx/: questions about one node of a model.
#pragma once

#include <string>
#include <string_view>

#include "tensors/onnx_file.h"

namespace convtool {

/// The attribute with this name, or null.
const OnnxAttribute* find_attribute(const OnnxNode& node, std::string_view name);

/// Whether the node is an operator of ONNX itself with this name.
bool is_operator(const OnnxNode& node, std::string_view type);

/// Whether the node casts to floats of any size.
bool casts_to_floats(const OnnxNode& node);

/// Of the names in messages, in characters.
inline constexpr std::size_t kLongestName = 64;

/// "'fc' (Gemm)"; a node without a name goes by that of its output.
std::string title_of(const OnnxNode& node);

}  // namespace convtool
