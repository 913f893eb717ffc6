#include "kernels/onnx/node.h"

#include <algorithm>
#include <iterator>

#include "core/printable.h"

namespace convtool {

const OnnxAttribute* find_attribute(const OnnxNode& node, std::string_view name) {
  const auto found = std::find_if(node.attributes.begin(), node.attributes.end(),
                                  [name](const OnnxAttribute& attribute) { return attribute.name == name; });
  return found == node.attributes.end() ? nullptr : &*found;
}

bool is_operator(const OnnxNode& node, std::string_view type) {
  return node.type == type && (node.domain.empty() || node.domain == "ai.onnx");
}

bool casts_to_floats(const OnnxNode& node) {
  constexpr std::int64_t kFloats[] = {1, 10, 11, 16};  // TensorProto.DataType
  const OnnxAttribute* const to = is_operator(node, "Cast") ? find_attribute(node, "to") : nullptr;
  return to != nullptr && std::find(std::begin(kFloats), std::end(kFloats), to->integer) != std::end(kFloats);
}

std::string title_of(const OnnxNode& node) {
  const std::string_view name = !node.name.empty() || node.outputs.empty() ? node.name : node.outputs.front();
  return "'" + printable_start(name, kLongestName) + "' (" + printable_start(node.type, kLongestName) + ")";
}

}  // namespace convtool
