#include "kernels/onnx/operators.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/float_range.h"
#include "core/text.h"
#include "kernels/files/weight_file.h"
#include "network/enlarging.h"

namespace convtool {
namespace {

/// The largest window of a pool, in pixels, that a kernel file may have.
constexpr std::int64_t kLargestWindow = std::int64_t{1} << 24;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string list_text(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return "[" + text + "]";
}

/// Whether a layer may enlarge by this factor.
bool has_few_phases(const Extent& step) {
  return step.h <= kMostPhases && step.w <= kMostPhases && step.h * step.w <= kMostPhases;
}

/// [top, left, bottom, right], of which none is negative.
Pads pads_of(const std::vector<std::int64_t>& sides) {
  if (sides.size() != 4) throw Stop{"its pads are " + list_text(sides) + " (expected four)"};
  if (std::any_of(sides.begin(), sides.end(), [](std::int64_t side) { return side < 0 || side > kLargestParameter; }))
    throw Stop{"its pads are " + list_text(sides) + " (expected 0 to " + std::to_string(kLargestParameter) + ")"};
  return {sides[0], sides[1], sides[2], sides[3]};
}

// Convolutions ----------------------------------------------------------------------------------------------------

/// The output size of a transposed convolution follows from its options, not from the picture.
void set_transposed_options(const Step& step, Layer& layer) {
  if (layer.params.padding.rule != Padding::Rule::fixed || !step.integers("output_shape").empty())
    throw Stop{"its padding depends on the size of the picture"};
  const Extent stride = layer.params.stride, dilation = layer.params.dilation;
  if (!has_few_phases(stride)) throw Stop{"its strides are too large"};
  const std::vector<std::int64_t> more = step.integers("output_padding");
  if (more.empty()) return;
  if (more.size() != 2 || std::min(more[0], more[1]) < 0 || more[0] >= std::max(stride.h, dilation.h) ||
      more[1] >= std::max(stride.w, dilation.w))
    throw Stop{"its output_padding is " + list_text(more) + " (expected less than its strides or dilations)"};
  layer.output_padding = {more[0], more[1]};
}

/// nn.Conv2d, or nn.ConvTranspose2d.
void add_kernel(const Step& step, Enlarging enlarging) {
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
  layer.enlarging = enlarging;
  if (layer.params.groups < 1 || layer.params.groups > kLargestParameter || d[0] % layer.params.groups != 0)
    throw Stop{"its " + std::to_string(layer.params.groups) + " groups do not divide " + std::to_string(d[0]) +
               " channels"};
  if (enlarging == Enlarging::transposed) set_transposed_options(step, layer);
  std::vector<double> bias;
  if (step.has_input(2)) bias = step.constant(2, "bias").values;
  if (!bias.empty() && std::ssize(bias) != layer.output_channels())
    throw Stop{"it has " + std::to_string(bias.size()) + " biases for " + std::to_string(layer.output_channels()) +
               " output channels"};
  step.layers.add_convolution(std::move(layer), std::move(weights.values), std::move(bias));
}

void add_convolution(const Step& step) { add_kernel(step, Enlarging::none); }
void add_transposed(const Step& step) { add_kernel(step, Enlarging::transposed); }

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

/// A constant, or the output of an earlier layer.
void add_sum(const Step& step) {
  for (const std::string_view operand : step.node.inputs) {
    const auto earlier = step.earlier.find(operand);
    if (step.node.inputs.size() != 2 || operand == step.input || earlier == step.earlier.end()) continue;
    Layer layer = identity_layer(step.name);
    layer.add = earlier->second;
    return step.layers.add(std::move(layer));
  }
  step.layers.transform({{1}, other_operand(step)}, step.name);
}

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

void activate(const Step& step, Activation activation, const ActivationNumbers& numbers = {}) {
  Layer layer = identity_layer(step.name);
  layer.activation = activation;
  layer.activation_numbers = numbers;
  step.layers.activate(std::move(layer));
}

void add_relu(const Step& step) { activate(step, Activation::relu); }
void add_abs(const Step& step) { activate(step, Activation::abs); }
void add_sigmoid(const Step& step) { activate(step, Activation::sigmoid); }
void add_tanh(const Step& step) { activate(step, Activation::tanh); }
void add_hard_swish(const Step& step) { activate(step, Activation::hardswish); }

void add_swish(const Step& step) {
  if (step.real("alpha", 1) != 1) throw Stop{"its alpha is not 1"};
  activate(step, Activation::silu);
}

void add_leaky_relu(const Step& step) {
  const double slope = step.real("alpha", 0.01F);
  if (!fits_float(slope)) throw Stop{"its alpha is not a finite number"};
  activate(step, Activation::leaky_relu, {.slope = static_cast<float>(slope)});
}

void add_prelu(const Step& step) {
  const std::vector<double> slopes = step.constant(1, "slope").values;
  if (slopes.empty() || std::count(slopes.begin(), slopes.end(), slopes.front()) != std::ssize(slopes))
    throw Stop{"its channels have different slopes"};
  if (!fits_float(slopes.front())) throw Stop{"its slope is not a finite number"};
  activate(step, Activation::leaky_relu, {.slope = static_cast<float>(slopes.front())});
}

/// A limit of Clip: an input since opset 11, before that an attribute.
double limit_of(const Step& step, std::size_t input, std::string_view attribute, double otherwise) {
  if (!step.has_input(input)) return step.real(attribute, otherwise);
  const Constant limit = step.constant(input, attribute);
  return limit.values.empty() ? otherwise : limit.values.front();
}

/// Clips, unless no float is outside the limits.
void clip(const Step& step, double min, double max) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (!(min <= max)) throw Stop{"it clips to " + to_text(min) + " to " + to_text(max)};
  if (min <= -kLargest && max >= kLargest) return;
  if (min == 0 && max >= kLargest) return activate(step, Activation::relu);
  ActivationNumbers numbers;
  if (min > -kLargest) numbers.min = static_cast<float>(min);
  if (max < kLargest) numbers.max = static_cast<float>(max);
  activate(step, Activation::clip, numbers);
}

void add_clip(const Step& step) {
  clip(step, limit_of(step, 1, "min", -kInfinity), limit_of(step, 2, "max", kInfinity));
}

void add_hard_sigmoid(const Step& step) {
  step.layers.transform({{step.real("alpha", 0.2F)}, {step.real("beta", 0.5)}}, step.name);
  clip(step, 0, 1);
}

// Pools and borders -----------------------------------------------------------------------------------------------

/// Turns the padding of a pool by rule into numbers. With a stride of 1 it is the same for all sizes. In windows of
/// two, one after another, it is what ceil_mode adds, which does not count.
void fix_padding(const Step& step, Layer& layer) {
  Padding& padding = layer.params.padding;
  const Extent window{layer.shape.kh, layer.shape.kw}, stride = layer.params.stride;
  if (padding.rule == Padding::Rule::fixed) return;
  if (stride == Extent{}) {
    padding = {.pads = resolve_pads(padding, window, dilated_kernel(layer.shape, layer.params.dilation), stride)};
  } else if (padding.rule == Padding::Rule::same && window == stride && std::max(window.h, window.w) <= 2 &&
             layer.params.dilation == Extent{} && step.integer("count_include_pad", 0) == 0) {
    padding = {};
    layer.pool.ceil_mode = true;
  } else {
    throw Stop{"its padding depends on the size of the picture (auto_pad)"};
  }
}

Layer pool_layer(const Step& step, Pooling pooling) {
  const std::vector<std::int64_t> size = step.integers("kernel_shape");
  if (size.size() != 2) throw Stop{"its kernel_shape is " + list_text(size) + " (expected [h, w])"};
  const Extent window = step.extent("kernel_shape");
  if (window.h > kLargestWindow / window.w)
    throw Stop{"its kernel_shape is " + list_text(size) + ", which is too large"};
  Layer layer{.name = step.name, .shape = {.kh = window.h, .kw = window.w}, .pooling = pooling};
  layer.params = {.stride = step.extent("strides"), .dilation = step.extent("dilations"), .padding = step.padding()};
  layer.pool.ceil_mode = step.integer("ceil_mode", 0) != 0;
  fix_padding(step, layer);
  const Pads& pads = layer.params.padding.pads;
  const bool is_even = pads.top == pads.bottom && pads.left == pads.right;
  const Extent most = is_even ? Extent{window.h / 2, window.w / 2} : Extent{window.h - 1, window.w - 1};
  if (std::max(pads.top, pads.bottom) > most.h || std::max(pads.left, pads.right) > most.w)
    throw Stop{"its pads are more than half of its window"};
  return layer;
}

void add_max_pool(const Step& step) {
  if (step.node.outputs.size() > 1 && !step.graph.readers(step.node.outputs[1]).empty())
    throw Stop{"the places of its maxima are needed"};
  step.layers.add(pool_layer(step, Pooling::max));
}

void add_mean_pool(const Step& step) {
  Layer layer = pool_layer(step, Pooling::mean);
  if (layer.params.dilation != Extent{}) throw Stop{"it has dilations"};
  layer.pool.counts_padding = step.integer("count_include_pad", 0) != 0 || layer.params.padding == Padding{};
  if (!layer.pool.ceil_mode && layer.pool.counts_padding) {
    const std::int64_t count = layer.shape.taps();
    layer.weights.assign(static_cast<std::size_t>(count), 1.0F);
    layer.divisor = {static_cast<double>(count)};
  }
  step.layers.add(std::move(layer));
}

void add_global_pool(const Step& step, Pooling pooling) {
  Layer layer{.name = step.name, .shape = {.kh = 0, .kw = 0}, .pooling = pooling};
  layer.pool.is_global = true;
  step.layers.add(std::move(layer));
}

void add_global_max_pool(const Step& step) { add_global_pool(step, Pooling::max); }
void add_global_mean_pool(const Step& step) { add_global_pool(step, Pooling::mean); }

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

/// The mean of all rows and columns.
void add_reduced_mean(const Step& step) {
  std::vector<std::int64_t> axes = input_or_attribute(step, 1, "axes");
  for (std::int64_t& axis : axes) axis += axis < 0 ? 4 : 0;
  std::sort(axes.begin(), axes.end());
  if (axes != std::vector<std::int64_t>{2, 3} || step.integer("keepdims", 1) != 1)
    throw Stop{"it is not the mean of rows and columns with both kept as dimensions"};
  add_global_mean_pool(step);
}

/// The factors of rows and columns in the "scales" of Resize and Upsample.
Extent enlarging_scale(const std::vector<double>& scales) {
  const auto is_whole = [](double scale) { return scale >= 1 && scale <= 1024 && std::trunc(scale) == scale; };
  if (scales.size() != 4 || scales[0] != 1 || scales[1] != 1 || !is_whole(scales[2]) || !is_whole(scales[3]))
    throw Stop{"it does not enlarge rows and columns by whole factors"};
  const Extent scale{static_cast<std::int64_t>(scales[2]), static_cast<std::int64_t>(scales[3])};
  if (!has_few_phases(scale)) throw Stop{"its factors are too large"};
  return scale;
}

void add_upsampling(const Step& step, Enlarging enlarging, const Extent& scale) {
  Layer layer{.name = step.name, .shape = {.c_o = 1, .c_i_per_group = 1, .kh = 1, .kw = 1}};
  layer.params.stride = scale;
  layer.enlarging = enlarging;
  step.layers.add(std::move(layer));
}

/// Of opset 7 to 9: its linear mode differs from nn.Upsample's.
void add_upsample(const Step& step) {
  const OnnxAttribute* const given = find_attribute(step.node, "scales");
  const std::vector<double> scales = given == nullptr ? step.constant(1, "scales").values
                                                      : std::vector<double>(given->reals.begin(), given->reals.end());
  const std::string_view mode = step.word("mode", "nearest");
  if (mode != "nearest") throw Stop{"its mode is '" + std::string(mode) + "'"};
  add_upsampling(step, Enlarging::nearest, enlarging_scale(scales));
}

/// Where its coordinates are those of nn.Upsample with align_corners=False. With whole factors, "nearest" at the
/// centres of pixels and at their corners, rounded down, are the same.
void add_resize(const Step& step) {
  if (!step.has_input(2)) throw Stop{"its output has a fixed size"};
  if (!step.integers("axes").empty()) throw Stop{"it has axes"};
  const Extent scale = enlarging_scale(step.constant(2, "scales").values);
  const std::string_view mode = step.word("mode", "nearest"),
                         place = step.word("coordinate_transformation_mode", "half_pixel"),
                         rounding = step.word("nearest_mode", "round_prefer_floor");
  const bool is_centred = place == "half_pixel" || place == "pytorch_half_pixel";
  const bool rounds = rounding == "round_prefer_floor" || rounding == "round_prefer_ceil";
  if (mode == "nearest" && ((is_centred && rounds) || (place == "asymmetric" && rounding == "floor")))
    return add_upsampling(step, Enlarging::nearest, scale);
  if (mode == "linear" && is_centred) return add_upsampling(step, Enlarging::bilinear, scale);
  throw Stop{"its mode is '" + std::string(mode) + "' with the coordinates '" + std::string(place) + "'"};
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

bool add_gate(const Step& step, const OnnxNode& product) {
  const OnnxNode& gate = step.node;
  const bool gates = is_operator(product, "Mul") && product.inputs.size() == 2 && gate.outputs.size() == 1 &&
                     std::is_permutation(product.inputs.begin(), product.inputs.end(),
                                         std::vector{step.input, gate.outputs.front()}.begin());
  if (!gates) return false;
  constexpr double kThird = 1.0 / 3, kRounding = 0x1p-20;  // attributes are floats
  const bool is_hard = is_operator(gate, "HardSigmoid") && step.real("beta", 0.5) == 0.5 &&
                       std::fabs(2 * step.real("alpha", 0.2F) - kThird) < kRounding;
  if (!is_hard && !is_operator(gate, "Sigmoid")) return false;
  activate(step, is_hard ? Activation::hardswish : Activation::silu);
  step.layers.note(std::string(gate.type) + " + " + std::string(product.type), product.outputs.front());
  return true;
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
