// Internal to kernels/onnx/: a node that becomes a layer, and the reading of its attributes and inputs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conv/padding.h"
#include "kernels/onnx/layer_stack.h"
#include "kernels/onnx/node_graph.h"

namespace convtool {

/// A node on the path from the input of a model, and the layers before it.
struct Step {
  const NodeGraph& graph;
  const OnnxNode& node;
  std::string_view input;  ///< the value on the path that the node reads
  std::string name;        ///< for a layer
  LayerStack& layers;
  /// Values that are needed again after later layers, by their names.
  const std::map<std::string_view, LayerOutput>& earlier;

  // Attributes, or `otherwise` where the node has none. Each throws Stop for values of another type or number.
  std::int64_t integer(std::string_view attribute, std::int64_t otherwise) const;
  double real(std::string_view attribute, double otherwise) const;
  std::string_view word(std::string_view attribute, std::string_view otherwise) const;
  std::vector<std::int64_t> integers(std::string_view attribute) const;  ///< empty without it
  Extent extent(std::string_view attribute) const;                       ///< [h, w], each at least 1; 1x1 without it

  /// "pads" and "auto_pad".
  Padding padding() const;

  bool has_input(std::size_t i) const { return i < node.inputs.size() && !node.inputs[i].empty(); }

  /// Of a node of two operands: the one that is not the input.
  std::string_view other_operand() const { return node.inputs[node.inputs[0] == input ? 1 : 0]; }

  /// That operand if it is a constant of one number; nothing if it is not, or the node has not two operands. Throws
  /// Stop as constant_of() does.
  std::optional<double> other_number() const;

  /// The numbers of a value, if it is constant. Throws Stop if they cannot be read.
  std::optional<Constant> constant_of(std::string_view value) const;

  /// Input `i`, which `what` names. Throws Stop if the node lacks it, or it is not constant.
  Constant constant(std::size_t i, std::string_view what) const;

  // Input `i`, as several operators have it since opset 11, or the attribute that it was before. Throws Stop for
  // several numbers where one is expected.
  double real(std::size_t i, std::string_view attribute, double otherwise) const;
  std::vector<std::int64_t> integers(std::size_t i, std::string_view attribute) const;
};

/// "[1, 2]"; of a long list the start.
std::string list_text(const std::vector<std::int64_t>& numbers);

/// From [top, left, bottom, right]. Throws Stop for another number of sides, and for negative ones.
Pads pads_of(const std::vector<std::int64_t>& sides);

}  // namespace convtool
