#include <algorithm>
#include <cmath>
#include <utility>

#include "core/printable.h"
#include "core/text.h"
#include "kernels/onnx/layer_operators.h"

namespace convtool {
namespace {

/// A constant that is one number, or one per channel: in the shape [C, 1, 1] or [1, C, 1, 1]; of a list, or where the
/// channels of the input are last, [C], with ones before it.
std::vector<double> channel_numbers(const Constant& constant, const LayerStack& layers) {
  const std::vector<std::int64_t>& dims = constant.dims;
  const std::vector<double>& values = constant.values;
  if (values.size() == 1) return values;
  const std::size_t after = layers.output().is_list || layers.has_channels_last() ? 0 : 2,
                    most = layers.output().is_list ? 2 : 4;
  const bool has_rank = dims.size() > after && dims.size() <= most;
  const std::int64_t channels = has_rank ? dims[dims.size() - after - 1] : 0;
  if (channels < 1 || channels != std::ssize(values))
    throw Stop{"its constant has the shape " + list_text(dims) + " (expected one number, or [C" +
               (after == 0 ? "" : ", 1, 1") + "] with one per channel)"};
  return values;
}

/// The global pool that `value` is computed from, along the first inputs of nodes; null if there is none.
const OnnxNode* pool_before(const NodeGraph& graph, std::string_view value) {
  constexpr int kMostNodes = 64;  // also where the graph goes in a circle
  for (int i = 0; i < kMostNodes; ++i) {
    const OnnxNode* const node = graph.writer(value);
    if (node == nullptr || node->inputs.empty()) return nullptr;
    for (const char* type : {"GlobalAveragePool", "GlobalMaxPool", "ReduceMean"})
      if (is_operator(*node, type)) return node;
    value = node->inputs.front();
  }
  return nullptr;
}

/// The reason to stop at a product whose factors both depend on the picture.
std::string product_text(const Step& step) {
  const std::vector<std::string_view>& factors = step.node.inputs;
  for (const std::size_t i : {0u, 1u})
    if (const OnnxNode* const pool = pool_before(step.graph, factors[i]);
        pool != nullptr && pool->inputs.front() == factors[1 - i])
      return "it scales each channel by a number that node " + title_of(*pool) +
             " and others compute from the picture (squeeze-and-excitation); convtool has no such layer";
  return "it multiplies two values that depend on the picture; convtool has no such layer";
}

/// The constant operand of Add, Sub, Mul or Div.
std::vector<double> constant_operand(const Step& step) {
  if (step.node.inputs.size() != 2)
    throw Stop{"it has " + counted(std::ssize(step.node.inputs), "operand") + " (expected 2)"};
  const std::string_view other = step.other_operand();
  if (const auto constant = step.constant_of(other)) return channel_numbers(*constant, step.layers);
  if (other != step.input && !step.earlier.contains(other) && step.graph.writer(other) == nullptr)
    throw Stop{"its operand '" + printable_start(other, kLongestName) + "' is another input of the model"};
  throw Stop{is_operator(step.node, "Mul") ? product_text(step) : "both its operands depend on the input of the model"};
}

std::vector<double> each(std::vector<double> numbers, double (*change)(double)) {
  std::transform(numbers.begin(), numbers.end(), numbers.begin(), change);
  return numbers;
}

/// The layer that wrote the other of the two operands of a node; null if no layer did. Throws Stop where the operands
/// have different shapes.
const std::string* earlier_operand(const Step& step) {
  if (step.node.inputs.size() != 2) return nullptr;
  const std::string_view other = step.other_operand();
  const auto earlier = step.earlier.find(other);
  if (other == step.input || earlier == step.earlier.end()) return nullptr;
  step.layers.check_sum(earlier->second);
  return &earlier->second.layer;
}

void add_earlier(const Step& step, const std::string& name) {
  Layer layer = identity_layer(step.name);
  layer.add = name;
  step.layers.add(std::move(layer));
}

}  // namespace

// In eval mode, with the statistics that are stored.
void add_batch_normalisation(const Step& step) {
  // Before opset 14, a node in training mode has more outputs instead.
  const bool has_more = std::any_of(step.node.outputs.begin() + 1, step.node.outputs.end(),
                                    [](std::string_view output) { return !output.empty(); });
  if (has_more || step.integer("training_mode", 0) != 0)
    throw Stop{"it is in training mode; export the model in eval mode"};
  if (step.integer("spatial", 1) != 1) throw Stop{"it normalises each pixel by itself (spatial 0)"};
  const std::vector<double> gamma = step.constant(1, "scale").values, beta = step.constant(2, "shift").values,
                            mean = step.constant(3, "mean").values, variance = step.constant(4, "variance").values;
  const double epsilon = step.real("epsilon", 1e-5);
  if (gamma.empty() || beta.size() != gamma.size() || mean.size() != gamma.size() || variance.size() != gamma.size())
    throw Stop{"its scale, shift, mean and variance do not have the same number of channels"};
  Affine affine;
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    affine.scale.push_back(gamma[c] / std::sqrt(variance[c] + epsilon));
    affine.shift.push_back(beta[c] - mean[c] * affine.scale.back());
  }
  step.layers.transform(affine, step.name);
}

void add_sum(const Step& step) {
  if (const std::string* const name = earlier_operand(step)) return add_earlier(step, *name);
  step.layers.transform({{1}, constant_operand(step)}, step.name);
}

void add_product(const Step& step) { step.layers.transform({constant_operand(step), {0}}, step.name); }

void add_difference(const Step& step) {
  if (const std::string* const name = earlier_operand(step)) {
    // earlier - x = -x + earlier; x - earlier = -(-x + earlier)
    step.layers.transform({{-1}, {0}}, step.name);
    add_earlier(step, *name);
    if (step.node.inputs[0] == step.input) step.layers.transform({{-1}, {0}}, step.name);
    return;
  }
  const std::vector<double> other = constant_operand(step);
  if (step.node.inputs[0] != step.input) return step.layers.transform({{-1}, other}, step.name);
  step.layers.transform({{1}, each(other, [](double x) { return -x; })}, step.name);
}

void add_negation(const Step& step) { step.layers.transform({{-1}, {0}}, step.name); }

void add_quotient(const Step& step) {
  if (step.node.inputs[0] != step.input) throw Stop{"it divides by the input of the model"};
  step.layers.transform({each(constant_operand(step), [](double x) { return 1 / x; }), {0}}, step.name);
}

}  // namespace convtool
