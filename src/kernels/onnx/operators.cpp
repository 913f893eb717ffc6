#include "kernels/onnx/operators.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/text.h"
#include "kernels/files/weight_file.h"

namespace convtool {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string list_text(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return "[" + text + "]";
}

/// [top, left, bottom, right], of which none is negative.
Pads pads_of(const std::vector<std::int64_t>& sides) {
  if (sides.size() != 4) throw Stop{"its pads are " + list_text(sides) + " (expected four)"};
  if (std::any_of(sides.begin(), sides.end(), [](std::int64_t side) { return side < 0 || side > kLargestParameter; }))
    throw Stop{"its pads are " + list_text(sides) + " (expected 0 to " + std::to_string(kLargestParameter) + ")"};
  return {sides[0], sides[1], sides[2], sides[3]};
}

// Convolutions ----------------------------------------------------------------------------------------------------

void add_convolution(const Step& step) {
  Constant weights = step.constant(1, "weights");
  const auto& d = weights.dims;
  if (d.size() != 4) throw Stop{"its weights have rank " + std::to_string(d.size()) + " (expected 4, of Conv2d)"};
  if (weights.values.empty()) throw Stop{"its weights are " + list_text(d) + ", which is empty"};
  const std::vector<std::int64_t> kernel = step.integers("kernel_shape");
  if (!kernel.empty() && kernel != std::vector{d[2], d[3]})
    throw Stop{"its kernel_shape is " + list_text(kernel) + ", and its weights are " + list_text(d)};
  Layer layer{.name = step.name, .rank = 4, .shape = {d[0], d[1], d[2], d[3]}};
  layer.params = {.stride = step.extent("strides"), .dilation = step.extent("dilations"), .padding = step.padding()};
  layer.params.groups = step.integer("group", 1);
  if (layer.params.groups < 1 || layer.params.groups > kLargestParameter || d[0] % layer.params.groups != 0)
    throw Stop{"its " + std::to_string(layer.params.groups) + " groups do not divide " + std::to_string(d[0]) +
               " output channels"};
  std::vector<double> bias;
  if (step.has_input(2)) bias = step.constant(2, "bias").values;
  if (!bias.empty() && std::ssize(bias) != d[0])
    throw Stop{"it has " + std::to_string(bias.size()) + " biases for " + std::to_string(d[0]) + " output channels"};
  step.layers.add_convolution(std::move(layer), std::move(weights.values), std::move(bias));
}

// Scaling ---------------------------------------------------------------------------------------------------------

/// In eval mode, with the statistics that are stored.
void add_batch_normalisation(const Step& step) {
  if (step.integer("training_mode", 0) != 0) throw Stop{"it is in training mode; export the model in eval mode"};
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

/// A constant that is one number, or one per channel in the shape [C, 1, 1] or [1, C, 1, 1].
std::vector<double> channel_numbers(const Constant& constant) {
  const auto& [dims, values] = constant;
  if (values.size() == 1) return values;
  const std::int64_t channels = dims.size() == 3 || dims.size() == 4 ? dims[dims.size() - 3] : 0;
  if (channels < 1 || channels != std::ssize(values))
    throw Stop{"its constant has the shape " + list_text(dims) +
               " (expected one number, or [C, 1, 1] with one per channel)"};
  return values;
}

/// The other operand of Add, Sub, Mul or Div.
std::vector<double> other_operand(const Step& step) {
  if (step.node.inputs.size() != 2)
    throw Stop{"it has " + counted(std::ssize(step.node.inputs), "operand") + " (expected 2)"};
  const std::size_t other = step.node.inputs[0] == step.input ? 1 : 0;
  const auto constant = step.graph.constant(step.node.inputs[other], kMostReferredWeights);
  if (!constant) throw Stop{"both its operands depend on the input of the model"};
  return channel_numbers(*constant);
}

std::vector<double> each(std::vector<double> numbers, double (*change)(double)) {
  std::transform(numbers.begin(), numbers.end(), numbers.begin(), change);
  return numbers;
}

void add_sum(const Step& step) { step.layers.transform({{1}, other_operand(step)}, step.name); }

void add_product(const Step& step) { step.layers.transform({other_operand(step), {0}}, step.name); }

void add_difference(const Step& step) {
  const std::vector<double> other = other_operand(step);
  if (step.node.inputs[0] != step.input) return step.layers.transform({{-1}, other}, step.name);
  step.layers.transform({{1}, each(other, [](double x) { return -x; })}, step.name);
}

void add_quotient(const Step& step) {
  if (step.node.inputs[0] != step.input) throw Stop{"it divides by the input of the model"};
  step.layers.transform({each(other_operand(step), [](double x) { return 1 / x; }), {0}}, step.name);
}

// Activations -----------------------------------------------------------------------------------------------------

void activate(const Step& step, Activation activation) {
  Layer layer = identity_layer(step.name);
  layer.activation = activation;
  step.layers.activate(std::move(layer));
}

void add_relu(const Step& step) { activate(step, Activation::relu); }
void add_abs(const Step& step) { activate(step, Activation::abs); }

/// A limit of Clip: an input since opset 11, before that an attribute.
double limit_of(const Step& step, std::size_t input, std::string_view attribute, double otherwise) {
  if (!step.has_input(input)) return step.real(attribute, otherwise);
  const Constant limit = step.constant(input, attribute);
  return limit.values.empty() ? otherwise : limit.values.front();
}

void add_clip(const Step& step) {
  const double min = limit_of(step, 1, "min", -kInfinity), max = limit_of(step, 2, "max", kInfinity);
  const double largest = std::numeric_limits<float>::max();
  if (min <= -largest && max >= largest) return;
  if (min == 0 && max >= largest) return activate(step, Activation::relu);
  throw Stop{"it clips to " + to_text(min) + " to " + to_text(max)};
}

// Pools and borders -----------------------------------------------------------------------------------------------

Layer pool_layer(const Step& step, Pooling pooling) {
  const std::vector<std::int64_t> size = step.integers("kernel_shape");
  if (size.size() != 2) throw Stop{"its kernel_shape is " + list_text(size) + " (expected [h, w])"};
  const Extent window = step.extent("kernel_shape");
  Layer layer{.name = step.name, .shape = {.kh = window.h, .kw = window.w}, .pooling = pooling};
  layer.params = {.stride = step.extent("strides"), .dilation = step.extent("dilations"), .padding = step.padding()};
  const auto& [rule, pads] = layer.params.padding;
  if (rule != Padding::Rule::fixed || pads.top != pads.bottom || pads.left != pads.right)
    throw Stop{"its padding is not the same on both sides"};
  if (pads.top > window.h / 2 || pads.left > window.w / 2) throw Stop{"its padding is more than half of its window"};
  if (layer.params.dilation != Extent{}) throw Stop{"it has dilations"};
  if (step.integer("ceil_mode", 0) != 0) throw Stop{"it has ceil_mode 1"};
  return layer;
}

void add_max_pool(const Step& step) {
  if (step.node.outputs.size() > 1 && !step.graph.readers(step.node.outputs[1]).empty())
    throw Stop{"the places of its maxima are needed"};
  step.layers.add(pool_layer(step, Pooling::max));
}

void add_mean_pool(const Step& step) {
  Layer layer = pool_layer(step, Pooling::mean);
  if (step.integer("count_include_pad", 0) == 0 && layer.params.padding != Padding{})
    throw Stop{"it does not count padding (count_include_pad 0)"};
  const std::int64_t count = layer.shape.taps();
  if (count > kMostReferredWeights) throw Stop{"its window is too large"};
  layer.weights.assign(static_cast<std::size_t>(count), 1.0F);
  layer.divisor = {static_cast<double>(count)};
  step.layers.add(std::move(layer));
}

/// An input of integers since opset 11, before that an attribute.
std::vector<std::int64_t> input_or_attribute(const Step& step, std::size_t input, std::string_view attribute) {
  if (!step.has_input(input)) return step.integers(attribute);
  std::vector<std::int64_t> integers;
  for (const double value : step.constant(input, attribute).values) {
    if (!(std::fabs(value) <= static_cast<double>(kLargestParameter)))
      throw Stop{"its " + std::string(attribute) + " contain " + to_text(value)};
    integers.push_back(static_cast<std::int64_t>(value));
  }
  return integers;
}

/// Pad's pads, [begin of each axis, end of each axis], for all axes or for those given. Only rows and columns may have
/// any.
Pads border_of(const Step& step) {
  const std::vector<std::int64_t> pads = input_or_attribute(step, 1, "pads");
  std::vector<std::int64_t> axes = input_or_attribute(step, 3, "axes");
  if (axes.empty()) axes = {0, 1, 2, 3};
  if (pads.size() != 2 * axes.size())
    throw Stop{"its pads are " + list_text(pads) + " (expected two per axis, of " + std::to_string(axes.size()) + ")"};
  std::vector<std::int64_t> sides(4);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = axes[i] < 0 ? axes[i] + 4 : axes[i];
    const std::int64_t begin = pads[i], end = pads[i + axes.size()];
    if (axis == 2 || axis == 3) {
      sides[static_cast<std::size_t>(axis - 2)] = begin;
      sides[static_cast<std::size_t>(axis)] = end;
    } else if (begin != 0 || end != 0) {
      throw Stop{"its pads " + list_text(pads) + " are not only of rows and columns"};
    }
  }
  return pads_of(sides);
}

void add_border(const Step& step) {
  constexpr std::pair<std::string_view, PaddingMode> kModes[] = {{"constant", PaddingMode::constant},
                                                                 {"reflect", PaddingMode::reflect},
                                                                 {"edge", PaddingMode::replicate},
                                                                 {"wrap", PaddingMode::circular}};
  const std::string_view word = step.word("mode", "constant");
  const auto mode =
      std::find_if(std::begin(kModes), std::end(kModes), [word](const auto& m) { return m.first == word; });
  if (mode == std::end(kModes)) throw Stop{"its mode is '" + std::string(word) + "'"};
  Layer layer = identity_layer(step.name);
  layer.params.padding.pads = border_of(step);
  layer.params.padding_mode = mode->second;
  const double value = limit_of(step, 2, "value", 0);
  if (!std::isfinite(value)) throw Stop{"it pads with " + to_text(value)};
  if (mode->second == PaddingMode::constant) {
    layer.params.padding_value = static_cast<float>(value);
    if (value == 0) layer.params.padding_mode = PaddingMode::zeros;
  }
  if (layer.params.padding != Padding{}) step.layers.add_border(std::move(layer));
}

// Operators that change nothing -----------------------------------------------------------------------------------

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
    {"Div", add_quotient},
    {"Dropout", skip_dropout, false},
    {"Identity", skip, false},
    {"MaxPool", add_max_pool},
    {"Mul", add_product},
    {"Pad", add_border},
    {"Relu", add_relu},
    {"Sub", add_difference},
    {"Transpose", skip_transpose, false},
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

std::int64_t Step::integer(std::string_view attribute, std::int64_t otherwise) const {
  const OnnxAttribute* const found = find_attribute(node, attribute);
  if (found == nullptr) return otherwise;
  if (!found->integer) throw Stop{"its " + std::string(attribute) + " is not an integer"};
  return *found->integer;
}

double Step::real(std::string_view attribute, double otherwise) const {
  const OnnxAttribute* const found = find_attribute(node, attribute);
  if (found == nullptr) return otherwise;
  if (!found->real) throw Stop{"its " + std::string(attribute) + " is not a float"};
  return static_cast<double>(*found->real);
}

std::string_view Step::word(std::string_view attribute, std::string_view otherwise) const {
  const OnnxAttribute* const found = find_attribute(node, attribute);
  if (found == nullptr) return otherwise;
  if (!found->text) throw Stop{"its " + std::string(attribute) + " is not a text"};
  return *found->text;
}

std::vector<std::int64_t> Step::integers(std::string_view attribute) const {
  const OnnxAttribute* const found = find_attribute(node, attribute);
  return found == nullptr ? std::vector<std::int64_t>{} : found->integers;
}

Extent Step::extent(std::string_view attribute) const {
  const std::vector<std::int64_t> sizes = integers(attribute);
  if (sizes.empty()) return {};
  const auto is_size = [](std::int64_t size) { return size >= 1 && size <= kLargestParameter; };
  if (sizes.size() != 2 || !std::all_of(sizes.begin(), sizes.end(), is_size))
    throw Stop{"its " + std::string(attribute) + " are " + list_text(sizes) + " (expected [h, w], each from 1 on)"};
  return {sizes[0], sizes[1]};
}

Padding Step::padding() const {
  constexpr std::pair<std::string_view, Padding::Rule> kRules[] = {{"NOTSET", Padding::Rule::fixed},
                                                                   {"VALID", Padding::Rule::fixed},
                                                                   {"SAME_UPPER", Padding::Rule::same},
                                                                   {"SAME_LOWER", Padding::Rule::same_lower}};
  const std::string_view given = word("auto_pad", "NOTSET");
  const auto rule =
      std::find_if(std::begin(kRules), std::end(kRules), [given](const auto& r) { return r.first == given; });
  if (rule == std::end(kRules)) throw Stop{"its auto_pad is '" + std::string(given) + "'"};
  const std::vector<std::int64_t> sides = integers("pads");
  if (given != "NOTSET" || sides.empty()) return {.rule = rule->second};
  return {.pads = pads_of(sides)};
}

Constant Step::constant(std::size_t i, std::string_view what) const {
  if (!has_input(i)) throw Stop{"it has no " + std::string(what)};
  auto constant = graph.constant(node.inputs[i], kMostReferredWeights - layers.weight_count());
  if (!constant) throw Stop{"its " + std::string(what) + " are computed while the model runs"};
  return std::move(*constant);
}

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
