#include "kernels/onnx/model_input.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

#include "core/error.h"

namespace convtool {
namespace {

/// Whether a node keeps the order of dimensions, and becomes a part of the input: its scaling, or the order of colours.
bool prepares_input(const OnnxNode& node) {
  constexpr std::string_view kTypes[] = {"Add", "Cast", "Div", "Gather", "Identity", "Mul", "Slice", "Sub"};
  return std::any_of(std::begin(kTypes), std::end(kTypes),
                     [&](std::string_view type) { return is_operator(node, type); });
}

/// Whether the input is N x H x W x C: the nodes that prepare it lead to a Transpose to N x C x H x W.
bool has_channels_last(const NodeGraph& graph, std::string_view value) {
  constexpr int kMostNodes = 64;  // also where the graph goes in a circle
  for (int i = 0; i < kMostNodes; ++i) {
    const std::vector<const OnnxNode*> readers = graph.readers(value);
    if (readers.size() != 1 || readers.front()->outputs.empty()) return false;
    const OnnxNode& node = *readers.front();
    if (is_channels_first(node)) return true;
    if (!prepares_input(node)) return false;
    value = node.outputs.front();
  }
  return false;
}

}  // namespace

bool is_channels_first(const OnnxNode& node) {
  const OnnxAttribute* const order = is_operator(node, "Transpose") ? find_attribute(node, "perm") : nullptr;
  return order != nullptr && order->integers == std::vector<std::int64_t>{0, 3, 1, 2};
}

const OnnxValue& picture_input(const NodeGraph& nodes) {
  const OnnxFile& file = nodes.file();
  const OnnxGraph& graph = file.graph();
  std::set<std::string_view> stored;
  for (const OnnxTensor& tensor : graph.initializers) stored.insert(tensor.name);
  const auto is_data = [&](const OnnxValue& value) { return !stored.contains(value.name); };
  const auto is_picture = [&](const OnnxValue& value) {
    return is_data(value) && (!value.dims || value.dims->size() == 4) && !nodes.readers(value.name).empty();
  };
  auto found = std::find_if(graph.inputs.begin(), graph.inputs.end(), is_picture);
  if (found == graph.inputs.end()) found = std::find_if(graph.inputs.begin(), graph.inputs.end(), is_data);
  if (found == graph.inputs.end()) refuse_kernel(file.path(), "has no input");
  if (found->dims && found->dims->size() != 4)
    refuse_kernel(file.path(), "its input '" + std::string(found->name) + "' has rank " +
                                   std::to_string(found->dims->size()) + " (expected 4: N x C x H x W)");
  return *found;
}

InputLayout input_layout(const NodeGraph& graph, const OnnxValue& input) {
  InputLayout layout{.has_channels_last = has_channels_last(graph, input.name)};
  if (!input.dims) return layout;
  const std::vector<std::int64_t>& dims = *input.dims;
  const std::size_t channels = layout.has_channels_last ? 3 : 1, rows = layout.has_channels_last ? 1 : 2;
  const auto is_size = [](std::int64_t size) { return size > 0 && size <= kLargestParameter; };
  layout.channels = is_size(dims[channels]) ? dims[channels] : 0;
  if (is_size(dims[rows]) && is_size(dims[rows + 1])) layout.size = Extent{dims[rows], dims[rows + 1]};
  return layout;
}

}  // namespace convtool
