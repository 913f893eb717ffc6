#include "kernels/files/matrix_kernel.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/float_range.h"
#include "core/printable.h"
#include "core/text.h"

namespace convtool {
namespace {

std::string extent_text(const Extent& extent) { return join_sizes({extent.h, extent.w}); }

}  // namespace

void refuse_to_store(const std::string& where, std::string_view format, const std::string& what,
                     const std::string& remedy) {
  refuse_kernel(where, std::string(format) + " cannot store " + what + "; " + remedy);
}

Layer matrix_layer(std::int64_t rows, std::int64_t columns, std::vector<float> weights) {
  Layer layer;
  layer.shape = {.c_o = 1, .c_i_per_group = 1, .kh = rows, .kw = columns};
  layer.weights = std::move(weights);
  return layer;
}

Network network_of(Layer layer, const std::string& name) {
  layer.name = name;
  Network network{.name = name};
  network.banks.push_back({.name = name, .layers = {std::move(layer)}});
  return network;
}

Padding padding_around(const Extent& origin, const KernelShape& size) {
  const Extent upper{(size.kh - 1) / 2, (size.kw - 1) / 2}, lower{size.kh / 2, size.kw / 2};
  if (origin == upper) return {.rule = Padding::Rule::same, .pads = {}};
  if (origin == lower) return {.rule = Padding::Rule::same_lower, .pads = {}};
  return {.rule = Padding::Rule::fixed, .pads = {origin.h, origin.w, size.kh - 1 - origin.h, size.kw - 1 - origin.w}};
}

std::vector<std::string_view> tokens_of(std::string_view text, std::string_view separators) {
  const std::string between = " \t\r\n" + std::string(separators);
  std::vector<std::string_view> tokens;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(between), text.size()));
    if (text.empty()) return tokens;
    tokens.push_back(text.substr(0, text.find_first_of(between)));
    text.remove_prefix(tokens.back().size());
  }
}

double parse_kernel_number(std::string_view token, const std::string& source, const std::string& what) {
  const std::string_view digits = token.starts_with('+') ? token.substr(1) : token;
  const std::optional<double> number = parse_number<double>(digits);
  if (!number || !fits_float(*number)) {
    refuse_kernel(source, what + " is '" + printable(token.substr(0, 40)) + "' (expected a number within float32)");
  }
  return *number;
}

void set_divisor(double divisor, const std::string& source, Layer& layer) {
  if (divisor == 0) refuse_kernel(source, "sums cannot be divided by 0");
  float largest = 0;
  for (const float weight : layer.weights) largest = std::max(largest, std::fabs(weight));
  if (!fits_float(divisor) || !fits_float(static_cast<double>(largest) / divisor))
    refuse_kernel(source, "a weight beyond float32 after the division by " + to_text(divisor));
  if (divisor != 1) layer.divisor = {divisor};
}

const Layer& only_layer(const Network& network, std::string_view format) {
  const auto unless = [&](bool holds, const std::string& what, const std::string& remedy) {
    if (!holds) refuse_to_store(network.name, format, what, remedy);
  };
  unless(network.banks.size() == 1, "a network of " + std::to_string(network.banks.size()) + " layers",
         "convert its layers one by one");
  unless(!network.input, "the scaling of the input", "remove it");
  const Bank& bank = network.banks.front();
  unless(bank.layers.size() == 1, "a bank of " + std::to_string(bank.layers.size()) + " kernels",
         "convert its kernels one by one");
  const Layer& layer = bank.layers.front();
  const ConvParams& params = layer.params;
  unless(layer.kind_text().empty(), "a " + layer.kind_text(), "give it a kernel");
  unless(params.stride == Extent{}, "stride " + extent_text(params.stride),
         "remove it, and keep every n-th pixel of the result");
  unless(params.dilation == Extent{}, "dilation " + extent_text(params.dilation),
         "write zeros between the weights instead");
  unless(params.groups == 1, "groups " + std::to_string(params.groups), "convert the weights of each group separately");
  unless(layer.activation == Activation::none,
         "activation " + std::string(kActivations[static_cast<int>(layer.activation)]), "remove it");
  // Of one kernel, the maximum, minimum, sum and mean are its response.
  const bool has_magnitude = bank.combine == Combine::magnitude || bank.combine == Combine::l1;
  unless(!has_magnitude, "combine " + std::string(kCombines[static_cast<int>(bank.combine)]), "remove it");
  const OutputMap map = bank.map.value_or(OutputMap::automatic);
  unless(map == OutputMap::automatic || map == OutputMap::clip, "map " + std::string(to_string(map)), "remove it");
  return layer;
}

const Layer& only_matrix(const Network& network, std::string_view format) {
  const Layer& layer = only_layer(network, format);
  if (layer.rank != 2) {
    refuse_to_store(network.name, format,
                    "weights of rank " + std::to_string(layer.rank) + ", " + join_sizes(layer.dimensions()) +
                        ", since it filters each channel separately",
                    "make each matrix a kernel of its own");
  }
  return layer;
}

double divisor_of(const Layer& layer) { return layer.divisor.empty() ? 1 : layer.divisor.front(); }

float bias_of(const Layer& layer, std::string_view format) {
  if (layer.bias.empty()) return 0;
  if (std::adjacent_find(layer.bias.begin(), layer.bias.end(), std::not_equal_to<>()) != layer.bias.end())
    refuse_to_store(layer.name, format, "a bias for each channel", "give all channels the same bias");
  return layer.bias.front();
}

void refuse_bias(const Layer& layer, std::string_view format) {
  for (const float bias : layer.bias) {
    if (bias != 0) refuse_to_store(layer.name, format, "bias " + to_text(bias), "remove it");
  }
}

std::optional<Extent> origin_of(const Layer& layer, std::string_view format) {
  const KernelShape& size = layer.shape;
  const Pads& pads = layer.params.padding.pads;
  switch (layer.params.padding.rule) {
    case Padding::Rule::same: return Extent{(size.kh - 1) / 2, (size.kw - 1) / 2};
    case Padding::Rule::same_lower: return Extent{size.kh / 2, size.kw / 2};
    case Padding::Rule::fixed:
      if (pads.top + pads.bottom == size.kh - 1 && pads.left + pads.right == size.kw - 1)
        return Extent{pads.top, pads.left};
      if (pads == Pads{}) return std::nullopt;
      break;
    case Padding::Rule::full: break;
  }
  const bool is_full = layer.params.padding.rule == Padding::Rule::full;
  refuse_to_store(layer.name, format, is_full ? "padding full" : "padding that changes the size of a picture",
                  "use padding same, or none");
}

void require_origin(const Layer& layer, const Extent& origin, std::string_view format) {
  const std::optional<Extent> given = origin_of(layer, format);
  if (!given || *given == origin) return;
  const auto place = [](const Extent& at) {
    return "column " + std::to_string(at.w) + ", row " + std::to_string(at.h) + ", counted from 0";
  };
  refuse_to_store(layer.name, format, "an origin in " + place(*given) + " (expected " + place(origin) + ")",
                  "add a row or column of zeros");
}

bool has_border(const Layer& layer) {
  const Padding& padding = layer.params.padding;
  if (padding.rule == Padding::Rule::fixed) return padding.pads != Pads{};
  return layer.shape.kh > 1 || layer.shape.kw > 1;  // the other rules pad a single weight by nothing
}

void require_replicated_border(const Layer& layer, std::string_view format) {
  if (!has_border(layer) || layer.params.padding_mode == PaddingMode::replicate) return;
  refuse_to_store(layer.name, format,
                  "padding_mode " + std::string(to_string(layer.params.padding_mode)) +
                      ", since it repeats the border of the picture",
                  "use replicate, or no padding");
}

std::string quotient_text(const Layer& layer, std::size_t index) {
  const float weight = layer.weights[index];
  if (layer.divisor.empty()) return to_text(weight);
  return to_text(static_cast<double>(weight) / divisor_of(layer));
}

}  // namespace convtool
