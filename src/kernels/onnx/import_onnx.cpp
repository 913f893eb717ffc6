#include "kernels/onnx/import_onnx.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/printable.h"
#include "core/suggest.h"
#include "kernels/onnx/model_input.h"
#include "kernels/onnx/operators.h"

namespace convtool {
namespace {

std::string in_quotes(std::string_view name) { return "'" + std::string(name) + "'"; }

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
      : graph_(file), input_(picture_input(graph_)), value_(input_.name), layers_(input_layout(graph_, input_)) {
    set_value(input_.name);
    if (until) {
      ends_ = end_of(graph_, *until);
      graph_.keep_only_before(ends_);
      if (graph_.readers(value_).empty())
        refuse_usage("--until", in_quotes(*until) + " does not depend on the input " + in_quotes(value_));
    }
  }

  OnnxImport follow() {
    OnnxImport import{.input = std::string(input_.name), .stop = stop()};
    std::vector<Layer> layers = layers_.take();
    import.network.input = layers_.input();
    for (Layer& layer : layers) {
      Bank bank{.name = layer.name, .description = layer.description};
      bank.layers.push_back(std::move(layer));
      import.network.banks.push_back(std::move(bank));
    }
    return import;
  }

 private:
  static constexpr const char* kUnused = "its first output is not used";

  /// Where paths part: the layers before, what the last of them writes, and a sentence.
  struct Branch {
    std::size_t layers = 0;
    LayerOutput output;
    std::string text;
  };

  /// A path that is still to be followed, from a value that a layer wrote.
  struct Way {
    std::string_view value;
    const OnnxNode* node = nullptr;
  };

  /// Goes on to the end. Returns why it ends earlier. An end before paths have met again is where they part: no single
  /// layer has what is known by then.
  std::optional<std::string> stop() {
    std::optional<std::string> reason;
    try {
      if (is_at_end() || !branch_) return std::nullopt;
      reason = "their paths end in different outputs";
    } catch (const Stop& stop) {
      reason = stop.reason;
    }
    if (!branch_) return reason;
    layers_.shorten(branch_->layers, branch_->output);
    return branch_->text + ", and their paths do not meet: " + *reason +
           (ends_.empty() ? "; --until NODE follows one of them" : "");
  }

  /// Goes on as far as nodes lead. Returns whether this is the end that was asked for. Throws Stop with the node.
  bool is_at_end() {
    std::set<std::string_view> passed;
    while (std::find(ends_.begin(), ends_.end(), value_) == ends_.end()) {
      if (!passed.insert(value_).second) refuse_kernel(graph_.file().path(), "is damaged: its graph goes in a circle");
      const std::vector<const OnnxNode*> readers = graph_.readers(value_);
      if (readers.empty()) {
        check_end();
        return false;
      }
      std::vector<const OnnxNode*> ways;
      for (const OnnxNode* reader : readers)
        if (waits(*reader))
          waiting_.insert(reader);
        else
          ways.push_back(reader);
      if (readers.size() > ways.size()) keep();
      if (ways.size() == 2 && take_gate(ways)) continue;
      if (ways.size() > 1 && !branch_) branch_ = Branch{layers_.size(), layers_.output(), branch_text(readers)};
      if (ways.size() > 1) keep();
      if (ways.empty()) {
        if (open_.empty()) refuse_lonely(*readers.front());
        met_.insert(value_);
        ways.push_back(open_.back().node);
        value_ = open_.back().value;
        layers_.go_back(earlier_.at(value_));
        open_.pop_back();
      }
      for (std::size_t i = ways.size() - 1; i > 0; --i) open_.push_back({value_, ways[i]});
      take(*ways.front());
    }
    return true;
  }

  [[noreturn]] static void refuse_lonely(const OnnxNode& sum) {
    throw Stop{"node " + title_of(sum) + ": its other operand is on no path from here"};
  }

  /// Throws Stop where a path ends that is not all of the model.
  void check_end() const {
    if (open_.empty() && !waiting_.empty()) refuse_lonely(**waiting_.begin());
    const OnnxNode* const writer = graph_.writer(value_);
    if (writer != nullptr && !graph_.is_result(value_)) throw Stop{"node " + title_of(*writer) + ": " + kUnused};
  }

  Step step(const OnnxNode& node) { return {graph_, node, value_, layer_name(graph_, node), layers_, earlier_}; }

  static bool is_sum(const OnnxNode& node) {
    return is_operator(node, "Add") || is_operator(node, "Sub") || is_operator(node, "Sum");
  }

  /// Whether the node adds the value to another one that is not there yet: the end of a residual block.
  bool waits(const OnnxNode& node) const {
    if (!is_sum(node) || node.inputs.size() != 2) return false;
    const std::string_view other = node.inputs[node.inputs[0] == value_ ? 1 : 0];
    return other != value_ && !earlier_.contains(other) && graph_.is_computed(other) && !is_constant(other);
  }

  bool is_constant(std::string_view value) const {
    try {
      return graph_.constant(value, kMostFolded).has_value();
    } catch (const Error&) {  // the node that reads it says why
      return true;
    }
  }

  /// Keeps the value, which the last layer writes, for a sum after later layers.
  void keep() {
    if (layers_.empty()) layers_.add_input_copy();
    layers_.seal();
    earlier_.emplace(value_, layers_.output());
  }

  /// Goes on past an activation of several nodes, of which two read the value.
  bool take_gate(const std::vector<const OnnxNode*>& readers) {
    for (const OnnxNode* reader : readers)
      if (const std::optional<std::string_view> last = add_gate(step(*reader))) {
        set_value(*last);
        return true;
      }
    return false;
  }

  void take(const OnnxNode& node) {
    try {
      if (node.outputs.empty()) throw Stop{"it has no output"};
      if (node.outputs.front().empty()) throw Stop{kUnused};
      add_operator(step(node));
    } catch (const Stop& stop) {
      throw Stop{"node " + title_of(node) + ": " + stop.reason};
    }
    waiting_.erase(&node);
    for (const std::string_view input : node.inputs) met_.erase(input);
    if (open_.empty() && met_.empty()) branch_.reset();
    set_value(node.outputs.front());
  }

  /// Reaches the value that the last output is, whose shape nodes may measure.
  void set_value(std::string_view value) {
    value_ = value;
    if (const std::optional<std::vector<std::int64_t>> dims = layers_.output_dims()) graph_.set_shape(value, *dims);
  }

  std::string branch_text(const std::vector<const OnnxNode*>& readers) const {
    const OnnxNode* const writer = graph_.writer(value_);
    std::string text = (writer == nullptr ? "the input " + in_quotes(value_) : "node " + title_of(*writer)) + ": " +
                       std::to_string(readers.size()) + " nodes read " + (writer == nullptr ? "it (" : "its output (");
    constexpr std::size_t kNamed = 3;
    for (std::size_t i = 0; i < std::min(readers.size(), kNamed); ++i)
      text += (i == 0 ? "" : ", ") + title_of(*readers[i]);
    return text + (readers.size() > kNamed ? ", ...)" : ")");
  }

  NodeGraph graph_;
  const OnnxValue& input_;
  std::vector<std::string_view> ends_;
  std::string_view value_;                           ///< reached so far
  std::map<std::string_view, LayerOutput> earlier_;  ///< the values that are kept
  std::optional<Branch> branch_;                     ///< the first one whose paths have not met yet
  std::vector<Way> open_;                            ///< paths to be followed, the next one last
  std::set<const OnnxNode*> waiting_;                ///< sums whose other operand is not there yet
  std::set<std::string_view> met_;                   ///< values at the ends of paths, which wait for a sum
  LayerStack layers_;
};

}  // namespace

OnnxImport import_onnx(const OnnxFile& file, const std::optional<std::string>& until) {
  return Path(file, until).follow();
}

}  // namespace convtool
