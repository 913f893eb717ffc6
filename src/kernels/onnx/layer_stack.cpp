#include "kernels/onnx/layer_stack.h"

#include <algorithm>
#include <utility>

#include "core/float_range.h"

namespace convtool {
namespace {

void check_finite(const std::vector<double>& numbers, const char* what) {
  if (!std::all_of(numbers.begin(), numbers.end(), fits_float))
    throw Stop{std::string(what) + " contain NaN, infinity or a number beyond float32"};
}

double at(const std::vector<double>& numbers, std::size_t channel) {
  return numbers[numbers.size() == 1 ? 0 : channel];
}

bool is_plain(const Padding& padding) { return padding == Padding{}; }

}  // namespace

void LayerStack::add(Layer layer) {
  round_weights();
  const std::string name = layer.name;
  for (int copy = 2; !names_.insert(layer.name).second; ++copy) layer.name = name + "-" + std::to_string(copy);
  layers_.push_back(std::move(layer));
  parts_.emplace_back();
  is_open_ = true;
  is_border_ = false;
}

void LayerStack::add_border(Layer layer) {
  add(std::move(layer));
  is_border_ = true;
}

void LayerStack::add_convolution(Layer layer, std::vector<double> weights, std::vector<double> bias) {
  check_finite(weights, "its weights");
  check_finite(bias, "its biases");
  check_channels(layer.shape.c_i_per_group * layer.params.groups);
  if (is_open_ && is_border_ && is_plain(layer.params.padding)) {
    const ConvParams border = layers_.back().params;
    layer.params.padding = border.padding;
    layer.params.padding_mode = border.padding_mode;
    layer.params.padding_value = border.padding_value;
    const std::string part = std::exchange(parts_.back(), "");
    names_.erase(layers_.back().name);
    layers_.pop_back();
    parts_.pop_back();
    add(std::move(layer));
    parts_.back() = part;
  } else {
    add(std::move(layer));
  }
  channels_ = last().shape.c_o;
  weight_count_ += std::ssize(weights) + std::ssize(bias);
  weights_ = std::move(weights);
  bias_ = std::move(bias);
}

void LayerStack::transform(const Affine& affine, const std::string& name) {
  const auto& [scale, shift] = affine;
  const auto count = static_cast<std::int64_t>(std::max(scale.size(), shift.size()));
  if (count > 1) check_channels(count);
  if (is_open_ && !weights_.empty() && last().activation == Activation::none) {
    const auto c_o = static_cast<std::size_t>(last().shape.c_o), taps = weights_.size() / c_o;
    std::vector<double> weights = weights_, bias(c_o);
    for (std::size_t o = 0; o < c_o; ++o) {
      for (std::size_t i = 0; i < taps; ++i) weights[o * taps + i] *= at(scale, o);
      bias[o] = (bias_.empty() ? 0 : bias_[o]) * at(scale, o) + at(shift, o);
    }
    check_finite(weights, "the weights that it scales");
    check_finite(bias, "the biases that it shifts");
    weight_count_ += std::ssize(bias) - std::ssize(bias_);
    weights_ = std::move(weights);
    bias_ = std::move(bias);
    return;
  }
  // A depthwise convolution of one weight; of rank 2 if all channels have the same.
  Layer layer = identity_layer(name);
  std::vector<double> weights(static_cast<std::size_t>(count)), bias(weights.size());
  for (std::size_t o = 0; o < weights.size(); ++o) {
    weights[o] = at(scale, o);
    bias[o] = at(shift, o);
  }
  if (count > 1) {
    layer.rank = 4;
    layer.shape.c_o = layer.params.groups = count;
    return add_convolution(std::move(layer), std::move(weights), std::move(bias));
  }
  check_finite(weights, "its numbers");
  check_finite(bias, "its numbers");
  layer.weights = {static_cast<float>(weights.front())};
  if (bias.front() != 0) layer.bias = {static_cast<float>(bias.front())};
  add(std::move(layer));
}

void LayerStack::activate(Layer layer) {
  if (!is_open_ || last().activation != Activation::none || last().pooling != Pooling::none)
    return add(std::move(layer));
  layers_.back().activation = layer.activation;
  is_border_ = false;
}

void LayerStack::note(std::string_view part, std::string_view value) {
  std::string& parts = parts_.back();
  (parts += parts.empty() ? "" : " + ") += part;
  layers_.back().description = parts + ", to '" + std::string(value) + "'";
}

std::vector<Layer> LayerStack::take() {
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
  if (channels_ != 0 && channels_ != expected)
    throw Stop{"it takes " + std::to_string(expected) + " channels, and its input has " + std::to_string(channels_)};
}

Layer identity_layer(const std::string& name) {
  return {.name = name, .shape = {.c_o = 1, .c_i_per_group = 1, .kh = 1, .kw = 1}, .weights = {1}};
}

}  // namespace convtool
