#include "kernels/onnx/node_graph.h"

#include <algorithm>

namespace convtool {
namespace {

/// Whether the node passes on its first input, as far as weights are concerned.
bool passes_on(const OnnxNode& node) { return is_operator(node, "Identity") || casts_to_floats(node); }

/// Whether a tensor has few enough elements for fold_constants(), by what the file says.
bool has_few_elements(const OnnxTensor& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t size : tensor.dims) {
    if (size < 0 || size > kMostFolded) return false;
    count *= size;
    if (count > kMostFolded) return false;
  }
  return true;
}

}  // namespace

NodeGraph::NodeGraph(const OnnxFile& file) : file_(file) {
  const OnnxGraph& graph = file.graph();
  for (const OnnxTensor& tensor : graph.initializers) initializers_[tensor.name] = &tensor;
  std::vector<std::string_view> results;
  for (const OnnxNode& node : graph.nodes)
    for (const std::string_view output : node.outputs)
      if (!output.empty()) writers_[output] = &node;
  for (const OnnxValue& output : graph.outputs) results.push_back(output.name);
  keep_only_before(results);
}

const OnnxNode* NodeGraph::writer(std::string_view value) const {
  const auto found = writers_.find(value);
  return found == writers_.end() ? nullptr : found->second;
}

std::vector<const OnnxNode*> NodeGraph::readers(std::string_view value) const {
  const auto found = readers_.find(value);
  return found == readers_.end() ? std::vector<const OnnxNode*>{} : found->second;
}

bool NodeGraph::is_result(std::string_view value) const {
  return std::find(results_.begin(), results_.end(), value) != results_.end();
}

void NodeGraph::keep_only_before(const std::vector<std::string_view>& values) {
  std::set<const OnnxNode*> kept;
  std::vector<std::string_view> wanted = values;
  results_ = values;
  while (!wanted.empty()) {
    const OnnxNode* const node = writer(wanted.back());
    wanted.pop_back();
    if (node == nullptr || !kept.insert(node).second) continue;
    wanted.insert(wanted.end(), node->inputs.begin(), node->inputs.end());
  }
  readers_.clear();
  for (const OnnxNode& node : file_.graph().nodes) {
    if (!kept.contains(&node) || is_operator(node, "Shape")) continue;
    for (const std::string_view input : node.inputs) {
      std::vector<const OnnxNode*>& readers = readers_[input];
      if (!input.empty() && (readers.empty() || readers.back() != &node)) readers.push_back(&node);
    }
  }
}

std::string_view NodeGraph::origin(std::string_view value) const {
  for (std::size_t steps = 0; steps < writers_.size(); ++steps) {  // a damaged graph may go in a circle
    const OnnxNode* const node = writer(value);
    if (node == nullptr || initializers_.contains(value) || !passes_on(*node) || node->inputs.empty()) break;
    value = node->inputs.front();
  }
  return value;
}

const OnnxTensor* NodeGraph::stored(std::string_view value) const {
  value = origin(value);
  if (const auto found = initializers_.find(value); found != initializers_.end()) return found->second;
  const OnnxNode* const node = writer(value);
  const OnnxAttribute* const tensor =
      node != nullptr && is_operator(*node, "Constant") ? find_attribute(*node, "value") : nullptr;
  return tensor != nullptr && tensor->tensor ? &*tensor->tensor : nullptr;
}

bool NodeGraph::is_computed(std::string_view value) const {
  const OnnxNode* const node = writer(origin(value));
  return stored(value) == nullptr && node != nullptr && !is_operator(*node, "Constant");
}

bool NodeGraph::depends_on_size(std::string_view value) const {
  std::set<const OnnxNode*> seen;
  std::vector<std::string_view> open = {value};
  while (!open.empty()) {
    const OnnxNode* const node = writer(open.back());
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    if (is_operator(*node, "Shape")) return true;
    open.insert(open.end(), node->inputs.begin(), node->inputs.end());
  }
  return false;
}

std::optional<Constant> NodeGraph::constant(std::string_view value, std::int64_t most) const {
  int steps = 256;  // in all, also where the graph goes in a circle
  return folded(value, most, steps);
}

std::optional<Constant> NodeGraph::folded(std::string_view value, std::int64_t most, int& steps) const {
  if (value.empty()) return std::nullopt;
  if (const OnnxTensor* const tensor = stored(value))
    return Constant{.dims = tensor->dims, .values = file_.read(*tensor, most), .is_integer = tensor->has_integers()};
  const OnnxNode* const node = writer(origin(value));
  if (node == nullptr || --steps < 0) return std::nullopt;
  if (is_operator(*node, "Shape") && node->attributes.empty() && !node->inputs.empty())
    if (const auto known = shapes_.find(node->inputs.front()); known != shapes_.end()) {
      const std::vector<std::int64_t>& dims = known->second;
      return Constant{{std::ssize(dims)}, {dims.begin(), dims.end()}, true};
    }
  if (!is_operator(*node, "Constant")) {
    return fold_constants(*node, [&](std::string_view input) -> std::optional<Constant> {
      const OnnxTensor* const tensor = stored(input);
      if (tensor != nullptr && !has_few_elements(*tensor)) return std::nullopt;
      return folded(input, most, steps);
    });
  }
  for (const OnnxAttribute& attribute : node->attributes) {
    if (attribute.name == "value_float" && attribute.real) return Constant{{}, {static_cast<double>(*attribute.real)}};
    if (attribute.name == "value_int" && attribute.integer)
      return Constant{{}, {static_cast<double>(*attribute.integer)}, true};
    if (attribute.name == "value_floats")
      return Constant{{std::ssize(attribute.reals)}, {attribute.reals.begin(), attribute.reals.end()}};
    if (attribute.name == "value_ints")
      return Constant{{std::ssize(attribute.integers)}, {attribute.integers.begin(), attribute.integers.end()}, true};
  }
  return std::nullopt;
}

}  // namespace convtool
