#include "kernels/onnx/import_onnx.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/printable.h"
#include "core/suggest.h"
#include "kernels/onnx/operators.h"

namespace convtool {
namespace {

std::string in_quotes(std::string_view name) { return "'" + std::string(name) + "'"; }

/// The input that is not an initializer as well, as all were before version 4 of the format.
const OnnxValue& picture_input(const OnnxFile& file) {
  const OnnxGraph& graph = file.graph();
  std::set<std::string_view> stored;
  for (const OnnxTensor& tensor : graph.initializers) stored.insert(tensor.name);
  const auto is_data = [&](const OnnxValue& value) { return !stored.contains(value.name); };
  const auto found = std::find_if(graph.inputs.begin(), graph.inputs.end(), is_data);
  if (found == graph.inputs.end()) refuse_kernel(file.path(), "has no input");
  if (found->dims && found->dims->size() != 4)
    refuse_kernel(file.path(), "its input " + in_quotes(found->name) + " has rank " +
                                   std::to_string(found->dims->size()) + " (expected 4: N x C x H x W)");
  return *found;
}

/// A name for the layer of a node. That of its weights without ".weight", as PyTorch calls the module; else that of
/// the node, with the path "/layer1/layer1.0/conv1/Conv" of PyTorch's exporter as "layer1.0.conv1".
std::string layer_name(const NodeGraph& graph, const OnnxNode& node) {
  constexpr std::string_view kWeight = ".weight";
  constexpr std::size_t kLongest = 64;
  const OnnxTensor* const weights = node.inputs.size() > 1 ? graph.stored(node.inputs[1]) : nullptr;
  if (weights != nullptr && weights->name.ends_with(kWeight) && weights->name.size() > kWeight.size())
    return printable_start(weights->name.substr(0, weights->name.size() - kWeight.size()), kLongest);
  std::string name;
  std::string_view rest = node.name, last;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (part.empty() || (rest.empty() && !name.empty() && part.starts_with(node.type))) continue;
    if (!last.empty() && part.starts_with(std::string(last) + "."))
      name.resize(name.size() - last.size());
    else if (!name.empty())
      name += '.';
    name += part;
    last = part;
  }
  return printable_start(name.empty() ? node.type : std::string_view(name), kLongest);
}

/// The outputs of the node or value `until`.
std::vector<std::string_view> end_of(const NodeGraph& graph, const std::string& until) {
  std::vector<std::string_view> names;
  for (const OnnxNode& node : graph.file().graph().nodes) {
    if (node.name == until && !node.outputs.empty()) return node.outputs;
    if (std::find(node.outputs.begin(), node.outputs.end(), until) != node.outputs.end()) return {until};
    if (!node.name.empty()) names.push_back(node.name);
    names.insert(names.end(), node.outputs.begin(), node.outputs.end());
  }
  const std::string hint = suggestion(until, names);
  refuse_usage("--until",
               "there is no node or output " + in_quotes(until) + (hint.empty() ? " in " + graph.file().path() : hint));
}

/// The way from the input of a model, node by node.
class Path {
 public:
  Path(const OnnxFile& file, const std::optional<std::string>& until)
      : graph_(file), input_(picture_input(file)), value_(input_.name) {
    if (until) {
      ends_ = end_of(graph_, *until);
      graph_.keep_only_before(ends_);
      if (graph_.readers(value_).empty())
        refuse_usage("--until", in_quotes(*until) + " does not depend on the input " + in_quotes(value_));
    }
    layers_.set_channels(input_.dims ? std::max<std::int64_t>((*input_.dims)[1], 0) : 0);
  }

  OnnxImport follow() {
    OnnxImport import{.input = std::string(input_.name), .stop = stop()};
    std::vector<Layer> layers = layers_.take();
    import.channels = channels_of_input(layers);
    for (Layer& layer : layers) {
      Bank bank{.name = layer.name, .description = layer.description};
      bank.layers.push_back(std::move(layer));
      import.network.banks.push_back(std::move(bank));
    }
    return import;
  }

 private:
  /// Goes on to the end. Returns why it ends earlier.
  std::optional<std::string> stop() {
    std::set<const OnnxNode*> passed;
    while (std::find(ends_.begin(), ends_.end(), value_) == ends_.end()) {
      const std::vector<const OnnxNode*> readers = graph_.readers(value_);
      if (readers.empty()) return std::nullopt;
      if (readers.size() > 1) return branch_text(readers);
      const OnnxNode& node = *readers.front();
      if (!passed.insert(&node).second) refuse_kernel(graph_.file().path(), "is damaged: its graph goes in a circle");
      try {
        take(node);
      } catch (const Stop& stop) {
        return "node " + title_of(node) + ": " + stop.reason;
      }
    }
    return std::nullopt;
  }

  void take(const OnnxNode& node) {
    if (node.outputs.empty()) throw Stop{"it has no output"};
    add_operator({graph_, input_, node, value_, layer_name(graph_, node), layers_});
    value_ = node.outputs.front();
  }

  std::string branch_text(const std::vector<const OnnxNode*>& readers) const {
    const OnnxNode* const writer = graph_.writer(value_);
    std::string text =
        (writer == nullptr ? "the input " + in_quotes(value_) : "the output of " + title_of(*writer)) + " goes to ";
    text += std::to_string(readers.size()) + " nodes";
    for (std::size_t i = 0; i < std::min<std::size_t>(readers.size(), 3); ++i)
      text += (i == 0 ? ": " : ", ") + title_of(*readers[i]);
    return text + "; --until NODE follows one of them";
  }

  /// As the model says, or as the first layer needs.
  std::int64_t channels_of_input(const std::vector<Layer>& layers) const {
    for (const Layer& layer : layers)
      if (layer.rank == 4) return layer.shape.c_i_per_group * layer.params.groups;
    return layers_.channels();
  }

  NodeGraph graph_;
  const OnnxValue& input_;
  std::vector<std::string_view> ends_;
  std::string_view value_;  ///< reached so far
  LayerStack layers_;
};

}  // namespace

OnnxImport import_onnx(const OnnxFile& file, const std::optional<std::string>& until) {
  return Path(file, until).follow();
}

}  // namespace convtool
