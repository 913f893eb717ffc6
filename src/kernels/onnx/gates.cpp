// Activations that multiply a value x by what they make of it, as several nodes. silu is x * sigmoid(x). hardswish is
// x * hardsigmoid(x), where hardsigmoid(x) = clip(x / 6 + 1/2, 0, 1) (A. Howard et al., Searching for MobileNetV3,
// 2019); before it had an operator of its own, it was written as x * clip(x + 3, 0, 6) / 6, with the division before or
// after the product.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/onnx/layer_operators.h"
#include "kernels/onnx/operators.h"

namespace convtool {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// y = clip(x * scale + shift, low, high). The result of any of these operations on it is one as well.
struct ClippedLine {
  double scale = 1, shift = 0, low = -kUnbounded, high = kUnbounded;

  void multiply(double factor) {
    for (double* number : {&scale, &shift, &low, &high}) *number *= factor;
    if (factor < 0) std::swap(low, high);
  }
  void add(double number) {
    for (double* each : {&shift, &low, &high}) *each += number;
  }
  void clip(double min, double max) {
    low = std::min(std::max(low, min), max);
    high = std::min(std::max(high, min), max);
  }
  bool is_hard_sigmoid() const {
    constexpr double kRounding = 0x1p-20;  // constants are floats
    const auto is = [](double number, double expected) { return std::fabs(number - expected) < kRounding; };
    return is(scale, 1.0 / 6) && is(shift, 0.5) && is(low, 0) && is(high, 1);
  }
};

/// Applies the node to `line`, its input. Returns false if it is another operator, or an operand is not one number.
bool extend(const Step& step, ClippedLine& line) {
  const OnnxNode& node = step.node;
  if (is_operator(node, "HardSigmoid")) {
    line.multiply(step.real("alpha", 0.2F));
    line.add(step.real("beta", 0.5));
    line.clip(0, 1);
    return true;
  }
  if (is_operator(node, "Clip")) {
    line.clip(step.real(1, "min", -kUnbounded), step.real(2, "max", kUnbounded));
    return true;
  }
  if (is_operator(node, "Relu")) {
    line.clip(0, kUnbounded);
    return true;
  }
  const std::optional<double> number = step.other_number();
  if (!number) return false;
  if (is_operator(node, "Add"))
    line.add(*number);
  else if (is_operator(node, "Mul"))
    line.multiply(*number);
  else if (is_operator(node, "Div") && node.inputs[0] == step.input)
    line.multiply(1 / *number);
  else if (is_operator(node, "Max"))
    line.clip(*number, kUnbounded);
  else if (is_operator(node, "Min"))
    line.clip(-kUnbounded, *number);
  else
    return false;
  return true;
}

/// The only node that reads the output of another; null if several do.
const OnnxNode* only_reader(const Step& step, const OnnxNode& node) {
  const std::vector<const OnnxNode*> readers = step.graph.readers(node.outputs.front());
  return readers.size() == 1 && !readers.front()->outputs.empty() ? readers.front() : nullptr;
}

bool is_product_of(const OnnxNode& node, std::string_view a, std::string_view b) {
  return is_operator(node, "Mul") && (node.inputs == std::vector{a, b} || node.inputs == std::vector{b, a});
}

/// Whether a node scales its input, or divides it: x * y * c = x * (y * c).
bool is_factor(const OnnxNode& node) { return is_operator(node, "Mul") || is_operator(node, "Div"); }

/// The nodes of an activation: the product of x and a gate, the nodes of the gate, and a factor after it.
struct Gate {
  Activation activation;
  std::vector<const OnnxNode*> nodes;
};

/// Follows the nodes from `first` on. Throws Stop where constants cannot be read.
std::optional<Gate> read_gate(const Step& first) {
  constexpr std::size_t kMostNodes = 5;  // Add, Relu, Min, Mul and Div
  std::vector<const OnnxNode*> nodes;
  bool is_sigmoid = false, has_product = false;
  ClippedLine line;
  std::string_view value = first.input;
  for (const OnnxNode* node = &first.node; node != nullptr && nodes.size() < kMostNodes;
       node = only_reader(first, *node)) {
    nodes.push_back(node);
    if (!has_product && nodes.size() > 1 && is_product_of(*node, first.input, value)) {
      if (is_sigmoid) return Gate{Activation::silu, nodes};
      has_product = true;
    } else if (nodes.size() == 1 && is_operator(*node, "Sigmoid")) {
      is_sigmoid = true;
    } else {
      const Step step{first.graph, *node, value, first.name, first.layers, first.earlier};
      if (is_sigmoid || (has_product && !is_factor(*node)) || !extend(step, line)) return std::nullopt;
    }
    if (has_product && line.is_hard_sigmoid()) return Gate{Activation::hardswish, nodes};
    value = node->outputs.front();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> add_gate(const Step& step) {
  std::optional<Gate> gate;
  try {
    gate = read_gate(step);
  } catch (const Stop&) {  // the node that it is about says why when its turn comes
  }
  if (!gate) return std::nullopt;
  activate(step, gate->activation);
  for (const OnnxNode* node : gate->nodes) step.layers.note(node->type, node->outputs.front());
  return gate->nodes.back()->outputs.front();
}

}  // namespace convtool
