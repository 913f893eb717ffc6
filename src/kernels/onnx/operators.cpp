#include "kernels/onnx/operators.h"

#include <algorithm>
#include <utility>

#include "kernels/onnx/layer_operators.h"
#include "kernels/onnx/model_input.h"

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

/// Of the input. Here a picture has no such order.
void skip_transpose(const Step& step) {
  if (!step.layers.has_channels_last() || !is_channels_first(step.node))
    throw Stop{"it changes the order of dimensions"};
  step.layers.set_channels_first();
}

struct Operator {
  std::string_view type;
  void (*add)(const Step& step);
  bool changes = true;      ///< the values that it reads
  bool takes_lists = true;  ///< as well as pictures
};

constexpr Operator kOperators[] = {
    {"Abs", add_abs},
    {"Add", add_sum},
    {"AveragePool", add_mean_pool, true, false},
    {"BatchNormalization", add_batch_normalisation},
    {"Cast", skip_cast, false},
    {"Clip", add_clip},
    {"Conv", add_convolution, true, false},
    {"ConvTranspose", add_transposed, true, false},
    {"Div", add_quotient},
    {"Dropout", skip_dropout, false},
    {"Flatten", flatten, false},
    {"Gather", reverse_by_places, false, false},
    {"Gemm", add_gemm},
    {"GlobalAveragePool", add_global_mean_pool, true, false},
    {"GlobalMaxPool", add_global_max_pool, true, false},
    {"HardSigmoid", add_hard_sigmoid},
    {"HardSwish", add_hard_swish},
    {"Identity", skip, false},
    {"LeakyRelu", add_leaky_relu},
    {"MatMul", add_matrix_product},
    {"Max", add_maximum},
    {"MaxPool", add_max_pool, true, false},
    {"Min", add_minimum},
    {"Mul", add_product},
    {"Neg", add_negation},
    {"PRelu", add_prelu},
    {"Pad", add_border, true, false},
    {"ReduceMax", add_reduced_maximum, true, false},
    {"ReduceMean", add_reduced_mean, true, false},
    {"Relu", add_relu},
    {"Reshape", reshape, false},
    {"Resize", add_resize, true, false},
    {"Sigmoid", add_sigmoid},
    {"Slice", reverse_by_steps, false, false},
    {"Squeeze", squeeze, false},
    {"Sub", add_difference},
    {"Sum", add_sum},
    {"Swish", add_swish},
    {"Tanh", add_tanh},
    {"Transpose", skip_transpose, false, false},
    {"Upsample", add_upsample, true, false},
};

constexpr std::string_view kNoActivation = "convtool has no such activation",
                           kPictureScales =
                               "its mean and variance are those of each picture; convtool has no such layer";

/// Operators that often follow a part that can be imported, with what they are.
constexpr std::pair<std::string_view, std::string_view> kReasons[] = {
    {"Concat", "it joins the channels of several paths; convtool has no such layer"},
    {"ConvInteger", "the model is quantized; export it in floats"},
    {"DequantizeLinear", "the model is quantized; export it in floats"},
    {"Elu", kNoActivation},
    {"Erf", kNoActivation},
    {"Gelu", kNoActivation},
    {"If", "it decides while the model runs"},
    {"InstanceNormalization", kPictureScales},
    {"LRN", "it divides by a sum over neighbouring channels; convtool has no such layer"},
    {"LayerNormalization", kPictureScales},
    {"Loop", "it decides while the model runs"},
    {"Mish", kNoActivation},
    {"QLinearConv", "the model is quantized; export it in floats"},
    {"QuantizeLinear", "the model is quantized; export it in floats"},
    {"Selu", kNoActivation},
    {"Softmax", "it turns scores into probabilities; convtool has no such layer"},
    {"Softplus", kNoActivation},
    {"Split", "it splits the channels"},
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
    if (step.layers.output().is_list && !found->takes_lists)
      throw Stop{"its input is not a picture any more, but a list"};
    found->add(step);
    if (found->changes) step.layers.note(node.type, node.outputs.front());
    return;
  }
  using Reason = std::pair<std::string_view, std::string_view>;
  const auto* const reason = find_row(kReasons, &Reason::first, node.type);
  throw Stop{reason == nullptr ? "convtool has no such layer" : std::string(reason->second)};
}

}  // namespace convtool
