#include "kernels/files/layer_words.h"

#include "core/suggest.h"
#include "core/text.h"
#include "kernels/files/kernel_activation.h"
#include "network/outline.h"

namespace convtool {
namespace {

Layer convolution(const LayerFields& fields) {
  Layer layer{.name = "conv", .rank = 4};
  layer.shape = {.c_o = fields.outputs, .c_i_per_group = 0, .kh = fields.size.h, .kw = fields.size.w};
  layer.params = fields.params;
  if (fields.has_bias) layer.bias = {0};
  layer.outline = Outline::kernel;
  return layer;
}

Layer depthwise(const LayerFields& fields) {
  Layer layer = convolution(fields);
  layer.name = "dwconv";
  layer.params.groups = 0;
  return layer;
}

Layer linear(const LayerFields& fields) { return linear_outline(fields.outputs, fields.has_bias); }

Layer batch_norm(const LayerFields&) { return batch_norm_outline(); }

Layer transposed(const LayerFields& fields) {
  Layer layer = convolution(fields);
  layer.name = "tconv";
  layer.shape.c_o = 0;
  layer.shape.c_i_per_group = fields.outputs / fields.params.groups;
  layer.enlarging = Enlarging::transposed;
  layer.output_padding = fields.output_padding;
  return layer;
}

Layer upsampling(const LayerFields& fields) {
  Layer layer{.name = "upsample"};
  layer.params.stride = fields.size;
  layer.enlarging = fields.is_bilinear ? Enlarging::bilinear : Enlarging::nearest;
  return layer;
}

/// An activation as a layer of its own; clip is relu6.
template <Activation kActivation>
Layer activation(const LayerFields&) {
  Layer layer;
  layer.activation = kActivation;
  if (kActivation == Activation::clip) layer.activation_numbers = {.min = 0, .max = 6};
  layer.outline = Outline::activation;
  return layer;
}

Layer pool(Pooling kind, const LayerFields& fields) {
  const std::string size = fields.is_global ? "global" : join_sizes({fields.size.h, fields.size.w});
  Layer layer{.name = std::string(kPoolings[static_cast<int>(kind)]) + " " + size};
  layer.shape = {.kh = fields.size.h, .kw = fields.size.w};
  layer.pool.is_global = fields.is_global;
  layer.pool.ceil_mode = fields.has_ceil;
  layer.params = fields.params;
  if (!fields.has_stride) layer.params.stride = fields.size;
  layer.pooling = kind;
  return layer;
}

Layer max_pool(const LayerFields& fields) { return pool(Pooling::max, fields); }

Layer mean_pool(const LayerFields& fields) {
  Layer layer = pool(Pooling::mean, fields);
  constexpr std::int64_t kSmall = 32;  // a short text may repeat a layer thousands of times
  const Extent& size = fields.size;
  if (has_equal_windows(layer) && size.h <= kSmall && size.w <= kSmall) use_ones(layer);
  return layer;
}

/// A sum. The name of what it adds follows the word.
Layer sum(const LayerFields& fields) {
  Layer layer{.name = "add", .weights = {1}};
  layer.add = fields.add;
  return layer;
}

constexpr LayerWord kWords[] = {
    {"conv", "conv K C such as conv 3 64 s2 p1", LayerSize::window, true, "spdgbxfn", convolution},
    {"dwconv", "dwconv K such as dwconv 3 p1", LayerSize::window, false, "spdbxfn", depthwise},
    {"tconv", "tconv K C such as tconv 4 64 s2 p1", LayerSize::window, true, "spdgobxfn", transposed},
    {"maxpool", "maxpool K such as maxpool 3 s2 p1", LayerSize::window_or_global, false, "spdcxfn", max_pool},
    {"avgpool", "avgpool K such as avgpool 7", LayerSize::window_or_global, false, "spcxfn", mean_pool},
    {"upsample", "upsample N such as upsample 2", LayerSize::window, false, "lxfn", upsampling},
    {"bn", "bn", LayerSize::none, false, "xfn", batch_norm},
    {"linear", "linear N such as linear 10", LayerSize::none, true, "bxfn", linear},
    {"add", "add NAME such as add block1", LayerSize::name, false, "fn", sum},
    {"relu", "relu", LayerSize::none, false, "xfn", activation<Activation::relu>},
    {"relu6", "relu6", LayerSize::none, false, "xfn", activation<Activation::clip>},
    {"leaky_relu", "leaky_relu", LayerSize::none, false, "xfn", activation<Activation::leaky_relu>},
    {"sigmoid", "sigmoid", LayerSize::none, false, "xfn", activation<Activation::sigmoid>},
    {"tanh", "tanh", LayerSize::none, false, "xfn", activation<Activation::tanh>},
    {"silu", "silu", LayerSize::none, false, "xfn", activation<Activation::silu>},
    {"hardswish", "hardswish", LayerSize::none, false, "xfn", activation<Activation::hardswish>}};

constexpr LayerOption kOptions[] = {{'s', "sN"},       {'p', "pN"},        {'d', "dN"},     {'g', "gN"},
                                    {'o', "oN"},       {'x', "xN"},        {'b', "nobias"}, {'c', "ceil"},
                                    {'l', "bilinear"}, {'f', "from NAME"}, {'n', "as NAME"}};

/// Words of other programs.
struct OtherWord {
  std::string_view word, advice;
};

constexpr OtherWord kOtherWords[] = {{"conv2d", "did you mean conv?"},
                                     {"depthwise", "did you mean dwconv?"},
                                     {"maxpool2d", "did you mean maxpool?"},
                                     {"avgpool2d", "did you mean avgpool?"},
                                     {"pool", "did you mean maxpool, or avgpool?"},
                                     {"gap", "did you mean avgpool global?"},
                                     {"deconv", "did you mean tconv?"},
                                     {"convtranspose2d", "did you mean tconv?"},
                                     {"sum", "did you mean add?"},
                                     {"residual", "did you mean add?"},
                                     {"shortcut", "did you mean add?"},
                                     {"batchnorm", "did you mean bn?"},
                                     {"batchnorm2d", "did you mean bn?"},
                                     {"fc", "did you mean linear?"},
                                     {"dense", "did you mean linear?"},
                                     {"flatten", "linear reads all values of its input; leave it out"},
                                     {"dropout", "it has neither a size nor a cost; leave it out"},
                                     {"softmax", "it has neither a size nor a cost; leave it out"}};

}  // namespace

std::span<const LayerWord> layer_word_table() { return kWords; }

std::span<const LayerOption> layer_options() { return kOptions; }

std::string advice_on_layer(std::string_view word) {
  std::string known;
  for (const std::string_view name : layer_words()) known += (known.empty() ? "" : ", ") + std::string(name);
  const std::string list = " (expected " + known + ")", small = in_small_letters(word);
  for (const OtherWord& other : kOtherWords)
    if (small == other.word) return list + "; " + std::string(other.advice);
  const std::string advice = advice_on_activation(small);
  return list + (advice.empty() ? suggestion(small, layer_words()) : advice);
}

std::vector<std::string_view> layer_words() {
  std::vector<std::string_view> words;
  for (const LayerWord& row : kWords) words.push_back(row.word);
  return words;
}

}  // namespace convtool
