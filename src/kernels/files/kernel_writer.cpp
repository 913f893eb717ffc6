#include "kernels/files/kernel_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "core/printable.h"
#include "core/text.h"
#include "files/digest.h"
#include "network/pools/pool_windows.h"
#include "network/residual.h"

namespace convtool {
namespace {

using nlohmann::json;

std::string json_string(std::string_view text) {
  return printable_json(json(text).dump(-1, ' ', false, json::error_handler_t::replace));
}

template <class Number>
std::string one_or_list(const std::vector<Number>& numbers) {
  if (numbers.size() == 1) return to_text(numbers.front());
  std::string text = "[";
  for (const Number number : numbers) text += (text.size() == 1 ? "" : ", ") + to_text(number);
  return text + "]";
}

std::string extent_text(std::int64_t h, std::int64_t w) {
  return h == w ? std::to_string(h) : "[" + std::to_string(h) + ", " + std::to_string(w) + "]";
}

/// What is written: a kernel file, which may refer to its weights, or what it computes, for digest_of_network().
struct Style {
  bool is_digest = false;
  std::string_view weights_file;  ///< of a kernel file that refers to arrays in this one
};

/// The members of one object, in the order they are added, one per line.
class Members {
 public:
  Members(Style style, std::string indent) : style_(style), indent_(std::move(indent)) {}

  Style style() const { return style_; }
  void add(const char* key, const std::string& value) {
    text_ += (text_.empty() ? "" : ",\n" + indent_ + "  ") + json_string(key) + ": " + value;
  }
  std::string object() const { return "{ " + text_ + " }"; }
  /// The indentation of nested lists.
  std::string inner() const { return indent_ + "    "; }

 private:
  Style style_;
  std::string indent_, text_;
};

/// The weights as nested lists, from `dimension` of `sizes` on. Each innermost list is one line. Advances `weight`.
std::string weights_text(const std::vector<std::int64_t>& sizes, std::size_t dimension, const float*& weight,
                         const std::string& indent) {
  const bool is_row = dimension + 1 == sizes.size();
  std::string text = "[";
  for (std::int64_t i = 0; i < sizes[dimension]; ++i) {
    if (i > 0) text += is_row ? ", " : ",\n" + indent + " ";
    text += is_row ? to_text(*weight++) : weights_text(sizes, dimension + 1, weight, indent + " ");
  }
  return text + "]";
}

/// Weights in bytes, since there may be too many for a text.
std::string weights_digest(const Layer& layer) {
  return json_string(join_sizes(layer.dimensions()) + " " + digest_of(std::as_bytes(std::span(layer.weights))));
}

constexpr std::string_view kWeightPart = ".weight", kBiasPart = ".bias";

/// The name of the array that has the weights or biases of a layer.
std::string array_name(const Layer& layer, std::string_view part) { return layer.name + std::string(part); }

/// Whether numbers are in an array of another file, as all but single ones are.
bool refers(const Members& members, const std::vector<float>& numbers) {
  return !members.style().weights_file.empty() && numbers.size() > 1;
}

std::string array_reference(const Members& members, const Layer& layer, std::string_view part) {
  return json_string(std::string(members.style().weights_file) + "#" + array_name(layer, part));
}

// Below, each structure is taken apart by structured bindings: a new member stops the compiler here, and has to be
// written. What is not written would be lost from kernel files, and a manifest would take an output that was computed
// with another value for up to date.

std::string sides_text(const Pads& pads) {
  const auto& [top, left, bottom, right] = pads;
  return "[" + std::to_string(top) + ", " + std::to_string(left) + ", " + std::to_string(bottom) + ", " +
         std::to_string(right) + "]";
}

void add_extent(Members& members, const char* key, const Extent& extent, const Extent& otherwise) {
  const auto& [h, w] = extent;
  if (extent != otherwise) members.add(key, extent_text(h, w));
}

/// As four sides where those differ, or where `needs_sides`.
void add_padding(Members& members, const Padding& padding, bool needs_sides) {
  const auto& [rule, pads] = padding;
  if (rule != Padding::Rule::fixed)
    members.add("padding", json_string(kPaddingRules[static_cast<int>(rule)]));
  else if (needs_sides || pads.top != pads.bottom || pads.left != pads.right)
    members.add("pads", sides_text(pads));
  else if (pads != Pads{})
    members.add("padding", extent_text(pads.top, pads.left));
}

void add_params(Members& members, const ConvParams& params, const Extent& default_stride, bool needs_sides = false) {
  const auto& [stride, dilation, padding, padding_mode, padding_value, groups] = params;
  add_extent(members, "stride", stride, default_stride);
  add_extent(members, "dilation", dilation, {});
  add_padding(members, padding, needs_sides);
  if (padding_mode != PaddingMode::zeros) members.add("padding_mode", json_string(to_string(padding_mode)));
  if (padding_value != 0) members.add("padding_value", to_text(padding_value));
  if (groups != 1) members.add("groups", std::to_string(groups));
}

void add_names(Members& members, const std::string& name, const std::string& description) {
  if (members.style().is_digest) return;
  members.add("name", json_string(name));
  if (!description.empty()) members.add("description", json_string(description));
}

void add_flag(Members& members, const char* key, bool value) {
  if (value) members.add(key, "true");
}

/// Of a pool. A mean of equal windows has weights and a divisor, which follow from its size.
void add_pool(Members& members, const Layer& layer) {
  const auto& [c_o, c_i_per_group, kh, kw] = layer.shape;
  const auto& [is_global, ceil_mode, counts_padding] = layer.pool;
  members.add("pool", json_string(kPoolings[static_cast<int>(layer.pooling)]));
  members.add("size", is_global ? "\"global\"" : extent_text(kh, kw));
  const bool needs_sides = !pool_padding_flaw(layer, PoolPadding::even).empty();
  if (!is_global) add_params(members, layer.params, Extent{kh, kw}, needs_sides);
  add_flag(members, "ceil_mode", ceil_mode);
  if (!counts_padding) members.add("count_include_pad", "false");
}

std::string list_text(const std::vector<float>& numbers) {
  return numbers.size() == 1 ? "[" + to_text(numbers.front()) + "]" : one_or_list(numbers);
}

/// Batch normalisation with a mean of 0 and a variance of 1, which keeps every digit.
void add_batch_norm(Members& members, const Layer& layer) {
  const auto numbers = [&](const std::vector<float>& list, std::string_view part) {
    return refers(members, list) ? array_reference(members, layer, part) : list_text(list);
  };
  members.add("batch_norm", "{\"weight\": " + numbers(layer.weights, kWeightPart) +
                                ", \"bias\": " + numbers(layer.bias, kBiasPart) + ", \"eps\": 0}");
}

void add_kernel(Members& members, const Layer& layer) {
  const bool is_digest = members.style().is_digest, is_transposed = layer.enlarging == Enlarging::transposed;
  const float* weight = layer.weights.data();
  members.add("weight", is_digest ? weights_digest(layer)
                        : refers(members, layer.weights)
                            ? array_reference(members, layer, kWeightPart)
                            : weights_text(layer.dimensions(), 0, weight, members.inner() + "        "));
  add_flag(members, "transposed", is_transposed);
  if (!layer.bias.empty())
    members.add("bias",
                refers(members, layer.bias) ? array_reference(members, layer, kBiasPart) : one_or_list(layer.bias));
  if (layer.divisor.size() > 1 && !is_digest)
    members.add("normalize", "true");
  else if (!layer.divisor.empty())
    members.add("divisor", one_or_list(layer.divisor));
  add_params(members, layer.params, Extent{});
  add_extent(members, "output_padding", layer.output_padding, {0, 0});
}

void add_layer(Members& members, const Layer& layer) {
  const auto& [name, description, rank, shape, weights, bias, divisor, params, activation, numbers, pooling, outline,
               pool, enlarging, output_padding, add, from, is_batch_norm] = layer;
  require(outline == Outline::none, "a layer without weights in a kernel file");
  add_names(members, name, description);
  const bool is_digest = members.style().is_digest;  // which has links_text() instead of names
  if (!from.empty() && !is_digest) members.add("from", json_string(from));
  if (pooling != Pooling::none) {
    add_pool(members, layer);
  } else if (!add.empty()) {
    members.add("add", is_digest ? "true" : json_string(add));
  } else if (is_batch_norm) {
    add_batch_norm(members, layer);
  } else if (is_upsampling(enlarging)) {
    members.add("upsample", json_string(kEnlargings[static_cast<int>(enlarging)]));
    members.add("scale", extent_text(params.stride.h, params.stride.w));
  } else {
    add_kernel(members, layer);
  }
  if (activation != Activation::none) members.add("activation", activation_json(activation, numbers));
}

/// A list of objects, one below the other.
template <class Item>
std::string list_of(std::span<const Item> items, const Members& members,
                    void (*add)(Members& members, const Item& item)) {
  const std::string indent = members.inner();
  std::string text = "[\n";
  for (std::size_t i = 0; i < items.size(); ++i) {
    Members item(members.style(), indent);
    add(item, items[i]);
    text += indent + item.object() + (i + 1 < items.size() ? ",\n" : "\n");
  }
  return text + indent.substr(0, indent.size() - 2) + "]";
}

/// Whether a bank can be written as its only layer. A file then has one name and description for both.
bool is_one_layer(const Bank& bank, Style style) {
  if (bank.layers.size() != 1 || bank.combine != Combine::none) return false;
  const Layer& layer = bank.layers.front();
  return style.is_digest || (layer.name == bank.name && layer.description == bank.description);
}

/// Without its map, which kernel files have once, outermost: that of the last bank.
void add_bank(Members& members, const Bank& bank) {
  const auto& [name, description, layers, combine, map] = bank;
  if (is_one_layer(bank, members.style())) return add_layer(members, layers.front());
  add_names(members, name, description);
  members.add("bank", list_of(std::span(layers), members, add_layer));
  if (combine != Combine::none) members.add("combine", json_string(kCombines[static_cast<int>(combine)]));
}

std::string scaling_text(const InputScaling& scaling) {
  const auto& [scale, mean, deviation, order] = scaling;
  std::string text;
  const auto add = [&text](const char* key, const std::string& value) {
    text += (text.empty() ? "" : ", ") + json_string(key) + ": " + value;
  };
  if (scale != 1) add("scale", to_text(scale));
  if (!mean.empty()) add("mean", one_or_list(mean));
  if (!deviation.empty()) add("std", one_or_list(deviation));
  if (order != ChannelOrder::rgb) add("order", json_string(kChannelOrders[static_cast<int>(order)]));
  return "{ " + text + (text.empty() ? "}" : " }");
}

/// For a digest: each layer that adds or reads the output of an earlier one, and that one, as numbers. A name does not
/// say which layer it is: others may have been renamed.
std::string links_text(const Network& network) {
  const std::vector<std::optional<std::size_t>> addends = addends_of(network), sources = sources_of(network);
  std::string text;
  const auto add = [&](const char* verb, std::size_t layer, const std::optional<std::size_t>& earlier) {
    if (earlier) text += " " + std::to_string(layer) + verb + std::to_string(*earlier);
  };
  for (std::size_t i = 0; i < addends.size(); ++i) {
    add("+", i, addends[i]);
    add("<", i, sources[i]);
  }
  return json_string(text);
}

/// The banks that a file lists: without the copy of the input, which any file has under its name.
std::span<const Bank> listed_banks(const Network& network) {
  const bool has_copy = network.banks.size() > 1 && is_input_copy(network.banks.front());
  return std::span(network.banks).subspan(has_copy ? 1 : 0);
}

std::string network_text(const Network& network, Style style) {
  const auto& [name, description, all_banks, files, input] = network;  // the files' content is in the weights
  const std::span<const Bank> banks = listed_banks(network);
  Members members(style, "");
  const Bank& first = banks.front();
  const bool is_layer = is_one_layer(first, style);
  const std::string& first_name = is_layer ? first.layers.front().name : first.name;
  const std::string& first_description = is_layer ? first.layers.front().description : first.description;
  const bool has_same_names = first_name == name && first_description == description;
  if (banks.size() == 1 && (has_same_names || style.is_digest)) {
    add_bank(members, first);
  } else {
    add_names(members, name, description);
    members.add("layers", list_of(banks, members, add_bank));
  }
  if (style.is_digest) members.add("links", links_text(network));
  if (input) members.add("input", scaling_text(*input));
  if (const auto& map = banks.back().map) members.add("map", json_string(to_string(*map)));
  return members.object() + "\n";
}

}  // namespace

std::string format_kernel_json(const Network& network) { return network_text(network, {}); }

std::string digest_of_network(const Network& network) {
  const std::string text = network_text(network, {.is_digest = true});
  return digest_of(std::as_bytes(std::span(text)));
}

std::string format_kernel_references(const Network& network, std::string_view weights_file) {
  return network_text(network, {.weights_file = weights_file});
}

std::vector<NamedArray> arrays_of(const Network& network) {
  std::vector<NamedArray> arrays;
  for (const Bank& bank : network.banks)
    for (const Layer& layer : bank.layers) {
      if (layer.pooling != Pooling::none) continue;
      if (layer.weights.size() > 1)
        arrays.push_back({array_name(layer, kWeightPart),
                          layer.is_batch_norm ? std::vector{layer.shape.c_o} : layer.dimensions(), layer.weights});
      if (layer.bias.size() > 1) arrays.push_back({array_name(layer, kBiasPart), {std::ssize(layer.bias)}, layer.bias});
    }
  return arrays;
}

std::string format_kernel_reference(const KernelReference& reference) {
  Members members({}, "");
  add_names(members, reference.name, reference.description);
  members.add("weight", json_string(reference.weight));
  if (!reference.bias.empty()) members.add("bias", json_string(reference.bias));
  return members.object() + "\n";
}

}  // namespace convtool
