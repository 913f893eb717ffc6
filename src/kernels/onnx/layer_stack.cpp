#include "kernels/onnx/layer_stack.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/float_range.h"
#include "core/text.h"
#include "network/bank_plan.h"
#include "network/residual.h"

namespace convtool {
namespace {

void check_finite(const std::vector<double>& numbers, const char* what) {
  if (!std::all_of(numbers.begin(), numbers.end(), fits_float))
    throw Stop{std::string(what) + " contain NaN, infinity or a number beyond float32"};
}

double at(const std::vector<double>& numbers, std::size_t channel) {
  return numbers[numbers.size() == 1 ? 0 : channel];
}

/// The output channel that weight `i` of a convolution belongs to. A transposed one has its input channels outermost,
/// group by group, and in each the outputs of the group.
std::size_t output_channel(const Layer& layer, std::size_t i) {
  const KernelShape& shape = layer.shape;
  const auto row = static_cast<std::int64_t>(i) / (shape.kh * shape.kw);  // of the two outer dimensions
  if (layer.enlarging != Enlarging::transposed) return static_cast<std::size_t>(row / shape.c_i_per_group);
  const std::int64_t group = row / shape.c_i_per_group / (shape.c_o / layer.params.groups);
  return static_cast<std::size_t>(group * shape.c_i_per_group + row % shape.c_i_per_group);
}

/// The limits of relu or clip; nothing of other activations.
std::optional<ActivationNumbers> limits_of(const Layer& layer) {
  if (layer.activation == Activation::relu) return ActivationNumbers{.min = 0};
  if (layer.activation == Activation::clip) return layer.activation_numbers;
  return std::nullopt;
}

/// Clips the output of `layer` as `outer` does, if both clip. Returns false if they do not.
bool clip_to(const Layer& outer, Layer& layer) {
  const std::optional<ActivationNumbers> limits = limits_of(outer), before = limits_of(layer);
  if (!limits || !before) return false;
  const auto clipped = [&](float limit) { return std::min(std::max(limit, limits->min), limits->max); };
  const ActivationNumbers both{.min = clipped(before->min), .max = clipped(before->max)};
  const bool is_relu = both == ActivationNumbers{.min = 0};
  layer.activation = is_relu ? Activation::relu : Activation::clip;
  layer.activation_numbers = is_relu ? ActivationNumbers{} : both;
  return true;
}

/// The height and width of the layer's output on a map of this size, of any channels that it takes.
std::optional<Extent> size_after(const Layer& layer, const std::optional<Extent>& size) {
  if (!size) return std::nullopt;
  try {
    const std::int64_t channels = layer.rank > 2 ? layer.input_channels() : 1;
    const Shape output =
        bank_geometry({.name = "", .layers = {layer}}, DType::f32, {1, channels, size->h, size->w}).output;
    if (std::max(output.h, output.w) > kLargestParameter) return std::nullopt;  // so that their product is a number
    return Extent{output.h, output.w};
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// The decimal number that people write for the float nearest to this one: models have 0.485 as a float.
double as_written(double number) { return *parse_number<double>(to_text(static_cast<float>(number))); }

}  // namespace

LayerStack::LayerStack(const InputLayout& input) : has_channels_last_(input.has_channels_last) {
  constexpr Extent kSamples[] = {{1024, 1024}, {1536, 2048}};
  output_.channels = input.channels;
  for (const std::size_t i : {0u, 1u}) output_.sizes[i] = input.size.value_or(kSamples[i]);
}

std::optional<std::vector<std::int64_t>> LayerStack::output_dims() const {
  const std::optional<Extent> size = output_.map_size();
  if (!size || output_.channels == 0 || has_channels_last_) return std::nullopt;
  if (!output_.is_list) return std::vector<std::int64_t>{1, output_.channels, size->h, size->w};
  const std::int64_t pixels = size->h * size->w;
  if (output_.channels > std::numeric_limits<std::int64_t>::max() / pixels) return std::nullopt;
  return std::vector<std::int64_t>{1, output_.channels * pixels};
}

void LayerStack::go_back(const LayerOutput& output) {
  seal();
  output_ = output;
}

void LayerStack::shorten(std::size_t count, const LayerOutput& output) {
  if (count < layers_.size()) {
    layers_.resize(count);
    parts_.resize(count);
    weights_.clear();  // of a layer that is dropped: those before it are rounded
    bias_.clear();
  }
  go_back(output);
}

void LayerStack::add(Layer layer) {
  round_weights();
  if (!layers_.empty() && output_.layer != last().name) layer.from = output_.layer;
  const std::string name = layer.name;
  while (!names_.insert(layer.name).second) layer.name = name + "-" + std::to_string(++copies_[name] + 1);
  output_.layer = layer.name;
  for (std::optional<Extent>& size : output_.sizes) size = size_after(layer, size);
  layers_.push_back(std::move(layer));
  parts_.emplace_back();
  is_open_ = true;
  before_border_.reset();
}

void LayerStack::check_sum(const LayerOutput& other) const {
  if (output_.is_list != other.is_list) throw Stop{"it adds a list to a picture"};
  if (output_.channels != 0 && other.channels != 0 && output_.channels != other.channels)
    throw Stop{"it adds " + counted(other.channels, "channel") + " to " + std::to_string(output_.channels)};
  if (output_.sizes != other.sizes) throw Stop{"it adds two values of different height or width"};
}

void LayerStack::add_input_copy() {
  layers_.push_back(input_copy());
  parts_.emplace_back();
  output_.layer = last().name;
}

void LayerStack::add_border(Layer layer) {
  const LayerOutput before = output_;
  add(std::move(layer));
  before_border_ = before;
}

void LayerStack::add_convolution(Layer layer, std::vector<double> weights, std::vector<double> bias) {
  check_finite(weights, "its weights");
  check_finite(bias, "its biases");
  check_channels(layer.input_channels());
  if (is_open_ && before_border_ && layer.enlarging == Enlarging::none && layer.params.padding == Padding{}) {
    const ConvParams border = layers_.back().params;
    layer.params.padding = border.padding;
    layer.params.padding_mode = border.padding_mode;
    layer.params.padding_value = border.padding_value;
    const Part part = parts_.back();
    output_ = *before_border_;
    names_.erase(layers_.back().name);
    layers_.pop_back();
    parts_.pop_back();
    add(std::move(layer));
    parts_.back() = part;
  } else {
    add(std::move(layer));
  }
  output_.channels = last().output_channels();
  weight_count_ += std::ssize(weights) + std::ssize(bias);
  weights_ = std::move(weights);
  bias_ = std::move(bias);
}

void LayerStack::flatten(std::optional<std::int64_t> count) {
  if (count) {
    const std::optional<Extent> size = output_.map_size();
    if (!size || output_.channels == 0)
      throw Stop{"its output may not be one picture; export the model with a fixed height and width"};
    const std::int64_t pixels = size->h * size->w;
    if (*count % pixels != 0 || *count / pixels != output_.channels)
      throw Stop{"its output is not all values of one picture"};
  }
  output_.is_list = true;
}

void LayerStack::add_linear(const std::string& name, std::int64_t outputs, std::vector<double> weights,
                            std::vector<double> bias) {
  if (!output_.is_list) throw Stop{"its input is a picture (expected a list, from Flatten)"};
  const std::int64_t inputs = std::ssize(weights) / outputs;
  std::optional<Extent> size = output_.map_size();
  if (!size && inputs == output_.channels) size = Extent{1, 1};
  if (!size)
    throw Stop{
        "its weights fit one size of pictures, which the model does not say; export it with a fixed height and "
        "width"};
  const std::int64_t pixels = size->h * size->w;
  if (inputs % pixels != 0 || (output_.channels != 0 && inputs / pixels != output_.channels))
    throw Stop{"it takes " + counted(inputs, "value") + ", and its input has " +
               (output_.channels == 0 ? join_sizes({size->h, size->w}) + " per channel"
                                      : join_sizes({output_.channels, size->h, size->w}))};
  add_convolution({.name = name, .rank = 4, .shape = {outputs, inputs / pixels, size->h, size->w}}, std::move(weights),
                  std::move(bias));
}

void LayerStack::transform(const Affine& affine, const std::string& name) {
  const auto& [scale, shift] = affine;
  const auto count = static_cast<std::int64_t>(std::max(scale.size(), shift.size()));
  if (count > 1) {
    check_channels(count);
    output_.channels = count;
  }
  if (layers_.empty() && scale_input(affine)) return;
  if (is_open_ && !weights_.empty() && last().activation == Activation::none) {
    std::vector<double> weights = weights_, bias(static_cast<std::size_t>(last().output_channels()));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= at(scale, output_channel(last(), i));
    for (std::size_t o = 0; o < bias.size(); ++o)
      bias[o] = (bias_.empty() ? 0 : bias_[o]) * at(scale, o) + at(shift, o);
    check_finite(weights, "the weights that it scales");
    check_finite(bias, "the biases that it shifts");
    weight_count_ += std::ssize(bias) - std::ssize(bias_);
    weights_ = std::move(weights);
    bias_ = std::move(bias);
    return;
  }
  add_affine(affine, name);
}

/// Adds a depthwise convolution of one weight; of rank 2 if all channels have the same.
void LayerStack::add_affine(const Affine& affine, const std::string& name) {
  const auto& [scale, shift] = affine;
  const std::size_t count = std::max(scale.size(), shift.size());
  Layer layer = identity_layer(name);
  std::vector<double> weights(count), bias(count);
  for (std::size_t o = 0; o < count; ++o) {
    weights[o] = at(scale, o);
    bias[o] = at(shift, o);
  }
  if (count > 1) {
    layer.rank = 4;
    layer.shape.c_o = layer.params.groups = static_cast<std::int64_t>(count);
    return add_convolution(std::move(layer), std::move(weights), std::move(bias));
  }
  check_finite(weights, "its numbers");
  check_finite(bias, "its numbers");
  layer.weights = {static_cast<float>(weights.front())};
  if (bias.front() != 0) layer.bias = {static_cast<float>(bias.front())};
  add(std::move(layer));
}

void LayerStack::reverse_input() {
  constexpr std::int64_t kColours = 3;
  if (!layers_.empty())
    throw Stop{"it reverses the channels after other layers; convtool can reverse those of the input"};
  check_channels(kColours);
  output_.channels = kColours;
  is_reversed_ = !is_reversed_;
}

bool LayerStack::scale_input(Affine affine) {
  if (is_reversed_)
    for (std::vector<double>* numbers : {&affine.scale, &affine.shift}) std::reverse(numbers->begin(), numbers->end());
  const Affine before = input_.value_or(Affine{{1}, {0}});
  const std::size_t count =
      std::max({before.scale.size(), before.shift.size(), affine.scale.size(), affine.shift.size()});
  Affine both;
  for (std::size_t c = 0; c < count; ++c) {
    both.scale.push_back(at(before.scale, c) * at(affine.scale, c));
    both.shift.push_back(at(before.shift, c) * at(affine.scale, c) + at(affine.shift, c));
    const double deviation = 1 / both.scale.back(), mean = both.shift.back() / both.scale.back();
    if (!(deviation > 0 && fits_float(deviation) && static_cast<float>(deviation) > 0 && fits_float(mean)))
      return false;
  }
  check_finite(both.scale, "its numbers");
  check_finite(both.shift, "its numbers");
  input_ = both;
  return true;
}

std::optional<InputScaling> LayerStack::input() const {
  if (!input_ && !is_reversed_) return std::nullopt;
  InputScaling input{.order = is_reversed_ ? ChannelOrder::bgr : ChannelOrder::rgb};
  for (std::size_t c = 0; input_ && c < input_->scale.size(); ++c) {
    input.mean.push_back(as_written(0 - input_->shift[c] / input_->scale[c]));
    input.deviation.push_back(as_written(1 / input_->scale[c]));
  }
  return input;
}

void LayerStack::activate(Layer layer) {
  if (is_open_ && clip_to(layer, layers_.back())) return;
  if (!is_open_ || last().activation != Activation::none) return add(std::move(layer));
  layers_.back().activation = layer.activation;
  layers_.back().activation_numbers = layer.activation_numbers;
  before_border_.reset();
}

void LayerStack::note(std::string_view part, std::string_view value) {
  if (layers_.empty() || last().name == kInputName || last().name != output_.layer) return;
  std::string& operators = parts_.back().operators;
  (operators += operators.empty() ? "" : " + ") += part;
  parts_.back().value = value;
}

std::vector<Layer> LayerStack::take() {
  for (std::size_t i = 0; i < layers_.size(); ++i)
    if (const Part& part = parts_[i]; !part.operators.empty())
      layers_[i].description = part.operators + ", to '" + part.value + "'";
  const auto names_input = [](const Layer& layer) { return layer.add == kInputName || layer.from == kInputName; };
  if (!layers_.empty() && layers_.front() == input_copy() && std::none_of(layers_.begin(), layers_.end(), names_input))
    layers_.erase(layers_.begin());
  if (layers_.empty() && is_reversed_) add(identity_layer("copy"));  // a network has a layer
  if (layers_.empty() && input_) add_affine(*std::exchange(input_, std::nullopt), "scale");
  round_weights();
  return std::move(layers_);
}

void LayerStack::round_weights() {
  if (weights_.empty()) return;
  const auto round = [](const std::vector<double>& numbers) {
    std::vector<float> rounded(numbers.size());
    std::transform(numbers.begin(), numbers.end(), rounded.begin(), [](double x) { return static_cast<float>(x); });
    return rounded;
  };
  Layer& layer = layers_.back();
  layer.weights = round(weights_);
  layer.bias = round(bias_);
  if (std::all_of(layer.bias.begin(), layer.bias.end(), [](float x) { return x == 0; })) layer.bias.clear();
  weights_.clear();
  bias_.clear();
}

void LayerStack::check_channels(std::int64_t expected) const {
  if (output_.channels != 0 && output_.channels != expected)
    throw Stop{"it takes " + counted(expected, "channel") + ", and its input has " + std::to_string(output_.channels)};
}

Layer identity_layer(const std::string& name) {
  return {.name = name, .shape = {.c_o = 1, .c_i_per_group = 1, .kh = 1, .kw = 1}, .weights = {1}};
}

}  // namespace convtool
