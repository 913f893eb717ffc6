#include "kernels/files/kernel_writer.h"

#include <nlohmann/json.hpp>

#include "core/text.h"

namespace convtool {
namespace {

using nlohmann::json;

std::string json_string(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
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

/// The members of one object, in the order they are added, one per line.
class Members {
 public:
  explicit Members(std::string indent) : indent_(std::move(indent)) {}

  void add(const char* key, const std::string& value) {
    text_ += (text_.empty() ? "" : ",\n" + indent_ + "  ") + json_string(key) + ": " + value;
  }
  std::string object() const { return "{ " + text_ + " }"; }
  /// The indentation of nested lists.
  std::string inner() const { return indent_ + "    "; }

 private:
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

void add_padding(Members& members, const ConvParams& params) {
  const Pads& pads = params.padding.pads;
  if (params.padding.rule != Padding::Rule::fixed)
    members.add("padding", json_string(kPaddingRules[static_cast<int>(params.padding.rule)]));
  else if (pads.top != pads.bottom || pads.left != pads.right)
    members.add("pads", "[" + std::to_string(pads.top) + ", " + std::to_string(pads.left) + ", " +
                            std::to_string(pads.bottom) + ", " + std::to_string(pads.right) + "]");
  else if (pads != Pads{})
    members.add("padding", extent_text(pads.top, pads.left));
  if (params.padding_mode != PaddingMode::zeros)
    members.add("padding_mode", json_string(to_string(params.padding_mode)));
  if (params.padding_value != 0) members.add("padding_value", to_text(params.padding_value));
}

void add_names(Members& members, const std::string& name, const std::string& description) {
  members.add("name", json_string(name));
  if (!description.empty()) members.add("description", json_string(description));
}

/// The stride is left out where it is the size, its default.
void add_pool(Members& members, const Layer& layer) {
  const ConvParams& params = layer.params;
  members.add("pool", json_string(kPoolings[static_cast<int>(layer.pooling)]));
  members.add("size", extent_text(layer.shape.kh, layer.shape.kw));
  if (params.stride != Extent{layer.shape.kh, layer.shape.kw})
    members.add("stride", extent_text(params.stride.h, params.stride.w));
  if (params.padding.pads != Pads{})
    members.add("padding", extent_text(params.padding.pads.top, params.padding.pads.left));
}

void add_layer(Members& members, const Layer& layer) {
  add_names(members, layer.name, layer.description);
  if (layer.pooling != Pooling::none) return add_pool(members, layer);
  const float* weight = layer.weights.data();
  members.add("weight", weights_text(layer.dimensions(), 0, weight, members.inner() + "        "));
  if (!layer.bias.empty()) members.add("bias", one_or_list(layer.bias));
  if (layer.divisor.size() == 1) members.add("divisor", to_text(layer.divisor.front()));
  if (layer.divisor.size() > 1) members.add("normalize", "true");
  const ConvParams& params = layer.params;
  if (params.stride != Extent{}) members.add("stride", extent_text(params.stride.h, params.stride.w));
  if (params.dilation != Extent{}) members.add("dilation", extent_text(params.dilation.h, params.dilation.w));
  add_padding(members, params);
  if (params.groups != 1) members.add("groups", std::to_string(params.groups));
  if (layer.activation != Activation::none)
    members.add("activation", json_string(kActivations[static_cast<int>(layer.activation)]));
}

/// A list of objects, one below the other.
template <class Item>
std::string list_of(const std::vector<Item>& items, const std::string& indent,
                    std::string (*text_of)(const Item&, const std::string&)) {
  std::string text = "[\n";
  for (std::size_t i = 0; i < items.size(); ++i)
    text += indent + text_of(items[i], indent) + (i + 1 < items.size() ? ",\n" : "\n");
  return text + indent.substr(0, indent.size() - 2) + "]";
}

std::string layer_text(const Layer& layer, const std::string& indent) {
  Members members(indent);
  add_layer(members, layer);
  return members.object();
}

bool is_one_layer(const Bank& bank) { return bank.layers.size() == 1 && bank.combine == Combine::none; }

void add_bank(Members& members, const Bank& bank) {
  if (is_one_layer(bank)) return add_layer(members, bank.layers.front());
  add_names(members, bank.name, bank.description);
  members.add("bank", list_of(bank.layers, members.inner(), layer_text));
  if (bank.combine != Combine::none) members.add("combine", json_string(kCombines[static_cast<int>(bank.combine)]));
}

std::string bank_text(const Bank& bank, const std::string& indent) {
  Members members(indent);
  add_bank(members, bank);
  return members.object();
}

}  // namespace

std::string format_kernel_json(const Network& network) {
  Members members("");
  const Bank& first = network.banks.front();
  const bool is_layer = is_one_layer(first);
  const std::string& name = is_layer ? first.layers.front().name : first.name;
  const std::string& description = is_layer ? first.layers.front().description : first.description;
  if (network.banks.size() == 1 && name == network.name && description == network.description) {
    add_bank(members, first);
  } else {
    add_names(members, network.name, network.description);
    members.add("layers", list_of(network.banks, members.inner(), bank_text));
  }
  if (const auto& map = network.banks.back().map) members.add("map", json_string(to_string(*map)));
  return members.object() + "\n";
}

std::string format_kernel_reference(const KernelReference& reference) {
  Members members("");
  add_names(members, reference.name, reference.description);
  members.add("weight", json_string(reference.weight));
  if (!reference.bias.empty()) members.add("bias", json_string(reference.bias));
  return members.object() + "\n";
}

}  // namespace convtool
