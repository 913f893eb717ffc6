#include "kernels/onnx/operators.h"

#include <algorithm>
#include <utility>

#include "kernels/onnx/layer_operators.h"

namespace convtool {
namespace {

// These change nothing.
void skip(const Step&) {}

void skip_dropout(const Step& step) {
  if (step.has_input(2) && step.constant(2, "training_mode").values != std::vector<double>{0})
    throw Stop{"it is in training mode; export the model in eval mode"};
}

void skip_cast(const Step& step) {
  if (casts_to_floats(step.node)) return;
  throw Stop{"it casts to type " + std::to_string(step.integer("to", 0)) + " of ONNX (expected floats)"};
}

/// From N x H x W x C, as TensorFlow stores pictures. Here a picture has no such order.
void skip_transpose(const Step& step) {
  if (!step.layers.empty() || step.integers("perm") != std::vector<std::int64_t>{0, 3, 1, 2})
    throw Stop{"it changes the order of dimensions"};
  const auto& dims = step.model_input.dims;
  step.layers.set_channels(dims && dims->size() == 4 ? std::max<std::int64_t>((*dims)[3], 0) : 0);
}

struct Operator {
  std::string_view type;
  void (*add)(const Step& step);
  bool changes = true;  ///< the values that it reads
};

constexpr Operator kOperators[] = {
    {"Abs", add_abs},
    {"Add", add_sum},
    {"AveragePool", add_mean_pool},
    {"BatchNormalization", add_batch_normalisation},
    {"Cast", skip_cast, false},
    {"Clip", add_clip},
    {"Conv", add_convolution},
    {"ConvTranspose", add_transposed},
    {"Div", add_quotient},
    {"Dropout", skip_dropout, false},
    {"GlobalAveragePool", add_global_mean_pool},
    {"GlobalMaxPool", add_global_max_pool},
    {"HardSigmoid", add_hard_sigmoid},
    {"HardSwish", add_hard_swish},
    {"Identity", skip, false},
    {"LeakyRelu", add_leaky_relu},
    {"MaxPool", add_max_pool},
    {"Mul", add_product},
    {"PRelu", add_prelu},
    {"Pad", add_border},
    {"ReduceMean", add_reduced_mean},
    {"Relu", add_relu},
    {"Resize", add_resize},
    {"Sigmoid", add_sigmoid},
    {"Sub", add_difference},
    {"Sum", add_sum},
    {"Swish", add_swish},
    {"Tanh", add_tanh},
    {"Transpose", skip_transpose, false},
    {"Upsample", add_upsample},
};

/// Operators that often follow a part that can be imported, with what they are.
constexpr std::pair<std::string_view, std::string_view> kReasons[] = {
    {"Concat", "it joins several paths"},
    {"ConvInteger", "the model is quantized; export it in floats"},
    {"DequantizeLinear", "the model is quantized; export it in floats"},
    {"Flatten", "its output is not a picture"},
    {"Gemm", "it is a fully connected layer"},
    {"If", "it decides while the model runs"},
    {"Loop", "it decides while the model runs"},
    {"MatMul", "it is a fully connected layer"},
    {"QLinearConv", "the model is quantized; export it in floats"},
    {"QuantizeLinear", "the model is quantized; export it in floats"},
    {"Reshape", "its output is not a picture"},
    {"Split", "it splits the channels"},
    {"Squeeze", "its output is not a picture"},
    {"Unsqueeze", "its output is not a picture"},
};

/// The value of `type` in a table sorted by types; null without one.
template <class Row, std::size_t n>
const Row* find_row(const Row (&table)[n], std::string_view Row::*type, std::string_view wanted) {
  const auto found =
      std::find_if(std::begin(table), std::end(table), [&](const Row& row) { return row.*type == wanted; });
  return found == std::end(table) ? nullptr : &*found;
}

}  // namespace

void add_operator(const Step& step) {
  const OnnxNode& node = step.node;
  if (!is_operator(node, node.type))
    throw Stop{"it is an operator of '" + std::string(node.domain) + "', not of ONNX itself"};
  if (const auto* const found = find_row(kOperators, &Operator::type, node.type)) {
    found->add(step);
    if (found->changes && !step.layers.empty()) step.layers.note(node.type, node.outputs.front());
    return;
  }
  using Reason = std::pair<std::string_view, std::string_view>;
  const auto* const reason = find_row(kReasons, &Reason::first, node.type);
  throw Stop{reason == nullptr ? "convtool has no such layer" : std::string(reason->second)};
}

}  // namespace convtool
