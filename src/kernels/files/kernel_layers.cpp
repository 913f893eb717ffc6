#include "kernels/files/kernel_layers.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "files/json_text.h"
#include "kernels/files/kernel_activation.h"
#include "kernels/files/kernel_keys.h"
#include "network/enlarging.h"
#include "network/outline.h"
#include "network/pools/pool_windows.h"

namespace convtool {
namespace {

using nlohmann::json;

Extent read_window(const KernelObject& object, Layer& layer) {
  if (!object.has("size")) object.fail("", "no size; a pool needs \"size\": 2, [h, w] or \"global\"");
  if (object.at("size").is_string()) {
    constexpr std::string_view kWords[] = {"global"};
    object.choice("size", kWords);
    layer.pool.is_global = true;
    for (const char* key : {"stride", "padding", "pads", "dilation", "ceil_mode", "count_include_pad"})
      if (object.has(key))
        object.fail(key, "has no effect on a global pool, whose window is the whole input; leave it out");
    return {0, 0};
  }
  const Extent size = object.extent("size", 1);
  if (size.h > kLargestWindow / size.w)
    object.fail("size", "a window of more than " + std::to_string(kLargestWindow) + " pixels");
  return size;
}

/// With the rules of nn.MaxPool2d, nn.AvgPool2d and the adaptive pools of output size 1.
void read_pool(const KernelObject& object, Layer& layer, KernelWeights& weights) {
  constexpr std::string_view kWords[] = {"max", "mean"};
  constexpr Pooling kKinds[] = {Pooling::max, Pooling::mean};
  const json& kind = object.at("pool");
  if (kind == "avg" || kind == "average")
    object.fail("pool", describe_json(kind) + " (expected one of max, mean); did you mean 'mean'?");
  layer.pooling = kKinds[object.choice("pool", kWords)];
  const bool is_mean = layer.pooling == Pooling::mean;
  const Extent size = read_window(object, layer);
  layer.shape = {.kh = size.h, .kw = size.w};
  if (layer.pool.is_global) return;
  layer.params.stride = object.has("stride") ? object.extent("stride", 1) : size;
  layer.params.padding = object.padding();
  const bool has_sides = object.has("pads");
  if (const std::string flaw = pool_padding_flaw(layer, has_sides ? PoolPadding::sides : PoolPadding::even);
      !flaw.empty())
    object.fail(has_sides ? "pads" : "padding", flaw);
  if (object.has("dilation") && is_mean)
    object.fail("dilation", "means have no dilation, as nn.AvgPool2d has none; leave it out");
  layer.params.dilation = object.extent("dilation", 1);
  layer.pool.ceil_mode = object.flag("ceil_mode");
  if (layer.pool.ceil_mode && layer.params.padding.rule != Padding::Rule::fixed)
    object.fail("ceil_mode", "the padding by rule sets the size of the output; keep one of them");
  if (object.has("count_include_pad")) {
    if (!is_mean) object.fail("count_include_pad", "padding never counts in a max pool; leave it out");
    layer.pool.counts_padding = object.flag("count_include_pad") || layer.params.padding == Padding{};
  }
  if (!is_mean || !has_equal_windows(layer)) return;
  weights.add_count(size.h * size.w, object, "size");
  use_ones(layer);
}

/// The numbers of `key`, one for each of `channels`, or `otherwise` for all.
std::vector<float> one_per_channel(const KernelObject& object, const std::string& key, std::vector<float> numbers,
                                   std::size_t channels, float otherwise) {
  if (numbers.empty()) numbers.assign(channels, otherwise);
  if (numbers.size() != channels)
    object.fail(key, counted(std::ssize(numbers), "number") + " (expected " + std::to_string(channels) +
                         ", one per channel, as the other lists have)");
  return numbers;
}

/// nn.BatchNorm2d in eval mode: (x - mean) / sqrt(var + eps) * weight + bias, as a factor and an offset.
void read_batch_norm(const KernelObject& layer_object, Layer& layer, KernelWeights& weights, Weights needed) {
  const json& value = layer_object.at("batch_norm");
  const KernelObject object(value, layer_object.source(), layer_object.pointer("batch_norm"));
  if (!value.is_object())
    object.fail("", describe_json(value) +
                        " (expected an object with \"weight\", \"bias\", \"running_mean\" and "
                        "\"running_var\")");
  check_known_keys(value, object.pointer(""), {"weight", "bias", "running_mean", "running_var", "eps"},
                   ErrorKind::kernel, object.source());
  constexpr const char* kKeys[] = {"weight", "bias", "running_mean", "running_var"};
  constexpr float kOtherwise[] = {1, 0, 0, 1};
  std::vector<float> lists[std::size(kKeys)];
  std::size_t channels = 0;
  for (std::size_t i = 0; i < std::size(kKeys); ++i) {
    lists[i] = weights.read_list(object, kKeys[i]);
    if (channels == 0) channels = lists[i].size();
  }
  if (channels == 0 && needed == Weights::optional && value.empty()) {
    const std::string name = layer.name;
    layer = batch_norm_outline();
    layer.name = name;
    return;
  }
  if (channels == 0) object.fail("", "no numbers; it needs \"running_mean\" and \"running_var\", one per channel");
  for (std::size_t i = 0; i < std::size(kKeys); ++i)
    lists[i] = one_per_channel(object, kKeys[i], std::move(lists[i]), channels, kOtherwise[i]);
  const double eps = object.number("eps", 1e-5);
  layer.is_batch_norm = true;
  layer.rank = 4;
  layer.shape = {.c_o = static_cast<std::int64_t>(channels)};
  layer.params.groups = layer.shape.c_o;
  for (std::size_t c = 0; c < channels; ++c) {
    const double variance = static_cast<double>(lists[3][c]) + eps;
    if (!(variance > 0)) object.fail("running_var/" + std::to_string(c), "with eps, the variance is not above 0");
    const double factor = static_cast<double>(lists[0][c]) / std::sqrt(variance);
    layer.weights.push_back(static_cast<float>(factor));
    layer.bias.push_back(
        static_cast<float>(static_cast<double>(lists[1][c]) - static_cast<double>(lists[2][c]) * factor));
    if (!std::isfinite(layer.weights.back()) || !std::isfinite(layer.bias.back()))
      object.fail("", "the factor or the offset of channel " + std::to_string(c) + " is beyond float32");
  }
}

void check_phases(const KernelObject& object, const std::string& key, const Extent& step) {
  if (can_enlarge_by(step)) return;
  object.fail(key, std::to_string(step.h) + "x" + std::to_string(step.w) + " outputs for each input (at most " +
                       std::to_string(kMostPhases) + "); enlarge in several layers");
}

void read_upsampling(const KernelObject& object, Layer& layer) {
  constexpr std::string_view kWords[] = {"nearest", "bilinear"};
  constexpr Enlarging kKinds[] = {Enlarging::nearest, Enlarging::bilinear};
  layer.enlarging = kKinds[object.choice("upsample", kWords)];
  if (!object.has("scale")) object.fail("", "no scale; upsampling needs \"scale\": 2, or [h, w]");
  layer.params.stride = object.extent("scale", 1);
  check_phases(object, "scale", layer.params.stride);
}

void read_sum(const KernelObject& object, Layer& layer) {
  layer.add = object.text("add", "");
  if (layer.add.empty()) object.fail("add", "empty (expected the name of an earlier layer)");
  layer.weights = {1};
}

}  // namespace

namespace {

/// The kind of a layer that is not a convolution.
KernelPart part_of(const KernelObject& object) {
  constexpr std::pair<const char*, KernelPart> kParts[] = {{"pool", KernelPart::pool},
                                                           {"batch_norm", KernelPart::batch_norm},
                                                           {"upsample", KernelPart::upsampling},
                                                           {"add", KernelPart::sum},
                                                           {"linear", KernelPart::linear}};
  for (const auto& [key, part] : kParts)
    if (object.has(key)) return part;
  return KernelPart::activation;
}

void read_linear(const KernelObject& object, Layer& layer, Weights needed) {
  if (needed == Weights::required) refuse_without_weights(object);
  const bool has_bias = !object.has("bias") || object.flag("bias");
  const std::string name = layer.name;
  layer = linear_outline(object.integer("linear", 1), has_bias);
  layer.name = name;
}

}  // namespace

bool is_special_layer(const KernelObject& object) {
  if (part_of(object) != KernelPart::activation) return true;
  constexpr std::string_view kKeys[] = {"activation", "name", "description", "from", "map", "input", "$schema"};
  const auto is_no_kernel = [&](const auto& item) {
    return std::find(std::begin(kKeys), std::end(kKeys), item.key()) != std::end(kKeys);
  };
  const auto items = object.value().items();
  return object.has("activation") && std::all_of(items.begin(), items.end(), is_no_kernel);
}

Layer read_special_layer(const KernelObject& object, const std::string& default_name, bool outermost,
                         KernelWeights& weights, Weights needed) {
  const KernelPart part = part_of(object);
  if (part == KernelPart::pool && object.has("global"))
    object.fail("global", "not a key of a pool; write \"size\": \"global\"");
  check_keys(object, part, outermost);
  Layer layer{.name = object.text("name", default_name), .description = object.text("description", "")};
  switch (part) {
    case KernelPart::pool: read_pool(object, layer, weights); break;
    case KernelPart::batch_norm: read_batch_norm(object, layer, weights, needed); break;
    case KernelPart::upsampling: read_upsampling(object, layer); break;
    case KernelPart::sum: read_sum(object, layer); break;
    case KernelPart::linear: read_linear(object, layer, needed); break;
    default: layer.weights = {1}; break;
  }
  read_activation(object, layer);
  return layer;
}

void refuse_without_weights(const KernelObject& object) {
  object.fail("", "no weights to compute with; give \"weight\"" +
                      std::string(object.has("kernel_size") ? " in place of \"kernel_size\"" : "") +
                      ", or see the sizes of the layer with 'convtool shape' or 'convtool explain'");
}

void read_transposed_options(const KernelObject& object, Layer& layer) {
  const ConvParams& params = layer.params;
  check_phases(object, "stride", params.stride);
  if (params.padding.rule != Padding::Rule::fixed)
    object.fail("padding", "a word (a transposed convolution takes numbers, which shorten the output)");
  if (params.padding_mode != PaddingMode::zeros)
    object.fail("padding_mode", "transposed convolutions have no border to fill, as nn.ConvTranspose2d; leave it out");
  if (!object.has("output_padding")) return;
  layer.output_padding = object.extent("output_padding", 0);
  if (!is_output_padding(layer.output_padding, params.stride, params.dilation))
    object.fail("output_padding", "not smaller than the stride or the dilation");
}

}  // namespace convtool
