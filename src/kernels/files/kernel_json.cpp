#include "kernels/files/kernel_json.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "files/json_text.h"
#include "kernels/files/json_hint.h"
#include "kernels/files/kernel_activation.h"
#include "kernels/files/kernel_keys.h"
#include "kernels/files/kernel_layers.h"
#include "kernels/files/kernel_values.h"
#include "kernels/files/kernel_weights.h"
#include "kernels/files/layer_text.h"
#include "kernels/files/layer_words.h"
#include "network/input_scaling.h"
#include "network/residual.h"

namespace convtool {
namespace {

using nlohmann::json;

std::optional<OutputMap> map_of(const KernelObject& object) {
  if (!object.has("map")) return std::nullopt;
  return static_cast<OutputMap>(object.choice("map", kOutputMaps));
}

/// "mean" or "std": a number, or a list.
std::vector<double> numbers_of(const KernelObject& object, const std::string& key) {
  if (!object.has(key)) return {};
  NumberBlock block = read_numbers(object.at(key), object.pointer(key), ErrorKind::kernel, object.source());
  if (block.dimensions.size() > 1) object.fail(key, "nested lists (expected a number, or a list with one per channel)");
  return std::move(block.values);
}

/// A number, or a fraction such as "1/255".
double scale_of(const KernelObject& object) {
  if (!object.has("scale") || !object.at("scale").is_string()) return object.number("scale", 1);
  const std::optional<double> scale = parse_scale(object.at("scale").get<std::string>());
  if (!scale)
    object.fail("scale", describe_json(object.at("scale")) +
                             " (expected a number other than 0, or a fraction such as \"1/255\")");
  return *scale;
}

/// "input" of the outermost object; nothing without it.
std::optional<InputScaling> scaling_of(const json& document, const std::string& source) {
  if (!document.is_object() || !document.contains("input")) return std::nullopt;
  const KernelObject object(document.at("input"), source, "/input");
  if (!object.value().is_object())
    object.fail("", describe_json(object.value()) + " (expected an object such as {\"scale\": 0.00392156862745098})");
  check_known_keys(object.value(), object.pointer(""), {"scale", "mean", "std", "order"}, ErrorKind::kernel, source);
  InputScaling scaling{.scale = scale_of(object),
                       .mean = numbers_of(object, "mean"),
                       .deviation = numbers_of(object, "std"),
                       .order = static_cast<ChannelOrder>(object.choice("order", kChannelOrders))};
  if (const std::optional<ScalingFlaw> flaw = find_flaw(scaling)) object.fail(flaw->member, flaw->text);
  return scaling;
}

/// Reads one document, from the outside in.
class KernelReader {
 public:
  KernelReader(const std::string& source, const WeightReader& read_file, const KernelByName& by_name, Weights needed)
      : source_(source), by_name_(by_name), weights_(read_file), needed_(needed) {}

  Network read(const json& document, const std::string& default_name) {
    if (!document.is_array() && !document.is_object()) {
      refuse_kernel(source_,
                    describe_json(document) +
                        " is not a kernel (expected a matrix such as [[1, -1]], or an object with \"weight\")");
    }
    Network network;
    if (document.is_array() && document.empty() && needed_ == Weights::optional)
      refuse_kernel(source_, "an empty list (expected layers, such as [{\"kernel_size\": 3, \"out_channels\": 64}])");
    const auto is_layer = [](const json& entry) { return entry.is_object() || entry.is_string(); };
    if (document.is_array() && std::any_of(document.begin(), document.end(), is_layer)) {
      const json layers = {{"layers", document}};
      network = read_network({layers, source_, ""}, default_name);
    } else if (document.is_object() && document.contains("layers")) {
      network = read_network({document, source_, ""}, default_name);
    } else {
      network.banks.push_back(read_bank_or_layer(document, "", default_name, /*outermost=*/true));
      network.name = network.banks.front().name;
      network.description = network.banks.front().description;
      network = with_names(std::move(network));
    }
    network.files = weights_.take_files();
    network.input = scaling_of(document, source_);
    return network;
  }

 private:
  Network read_network(const KernelObject& object, const std::string& default_name) {
    check_keys(object, KernelPart::network, /*outermost=*/true);
    Network network{.name = object.text("name", default_name), .description = object.text("description", "")};
    const json& list = object.nonempty_list("layers");
    std::vector<std::string> names;  // of the layers so far
    for (std::size_t i = 0; i < list.size(); ++i) {
      check_count(object, network, list.size() - i);
      while (names.size() < network.banks.size()) names.push_back(network.banks[names.size()].name);
      const std::string name = list.size() == 1 ? network.name : network.name + "-" + std::to_string(i + 1);
      if (list[i].is_string()) {
        std::vector<Bank> banks = read_text(object, i, names);
        if (banks.empty()) banks.push_back(read_named(object, "layers", i));
        std::move(banks.begin(), banks.end(), std::back_inserter(network.banks));
        continue;
      }
      network.banks.push_back(read_bank_or_layer(list[i], "/layers/" + std::to_string(i), name, /*outermost=*/false));
    }
    check_count(object, network, 0);
    network.banks.back().map = map_of(object);
    return with_names(std::move(network));
  }

  /// Refuses more than kMostLayers, of which `more` at least follow those of `network`.
  static void check_count(const KernelObject& object, const Network& network, std::size_t more) {
    if (std::ssize(network.banks) + static_cast<std::int64_t>(more) > kMostLayers)
      object.fail("layers", "more than " + std::to_string(kMostLayers) + " layers; give fewer, or repeat fewer times");
  }

  /// The network with a layer for its input where "add" or "from" names it. Throws Error if a layer names another one
  /// that does not come before it, or one of several with its name.
  Network with_names(Network network) const {
    try {
      network = with_named_input(std::move(network));
      addends_of(network);
      sources_of(network);
    } catch (const Error& error) {
      refuse_kernel(source_, error.what());
    }
    return network;
  }

  Bank read_bank_or_layer(const json& value, const std::string& pointer, const std::string& default_name,
                          bool outermost) {
    if (value.is_object() && value.contains("bank"))
      return read_bank({value, source_, pointer}, default_name, outermost);
    Bank bank;
    bank.layers.push_back(read_layer(value, pointer, default_name, outermost));
    bank.name = bank.layers.front().name;
    bank.description = bank.layers.front().description;
    if (value.is_object()) {
      const KernelObject object(value, source_, pointer);
      bank.map = map_of(object);
      bank.layers.front().from = object.text("from", "");
    }
    return bank;
  }

  Bank read_bank(const KernelObject& object, const std::string& default_name, bool outermost) {
    check_keys(object, KernelPart::bank, outermost);
    Bank bank{.name = object.text("name", default_name), .description = object.text("description", "")};
    const json& list = object.nonempty_list("bank");
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].is_string()) {
        add_named(object, i, bank);
        continue;
      }
      const std::string place = "bank/" + std::to_string(i);
      bank.layers.push_back(read_layer(list[i], object.pointer(place), bank.name + "-" + std::to_string(i + 1),
                                       /*outermost=*/false));
      if (list[i].is_object() && list[i].contains("from"))
        object.fail(place + "/from", "the kernels of a bank read its input; leave it out");
      if (const std::string kind = bank.layers.back().kind_text(); !kind.empty())
        object.fail(place, "a " + kind + " in a bank; make it a separate entry in \"layers\"");
    }
    bank.combine = static_cast<Combine>(object.choice("combine", kCombines));
    bank.map = map_of(object);
    try {
      check_bank(bank);
    } catch (const Error& error) {
      refuse_kernel(source_, error.what());
    }
    return bank;
  }

  /// The layers that entry `i` of "layers" describes in the words of layer_text.h; none if it does not begin with one.
  /// `names` are those of the layers before it.
  std::vector<Bank> read_text(const KernelObject& object, std::size_t i, const std::vector<std::string>& names) const {
    const auto text = object.at("layers")[i].get<std::string>();
    const std::vector<std::string_view> words = layer_words();
    const std::string first = in_small_letters(std::string_view(text).substr(0, text.find(' ')));
    if (std::find(words.begin(), words.end(), first) == words.end()) return {};
    const std::string place = "layers/" + std::to_string(i);
    std::vector<Bank> banks = [&] {
      try {
        return parse_layer_text(text, "", "", names).banks;
      } catch (const Error& error) {
        object.fail(place, error.what());
      }
    }();
    for (Bank& bank : banks) {
      Layer& layer = bank.layers.front();
      if (needed_ == Weights::optional || layer.outline == Outline::none) continue;
      if (layer.outline != Outline::activation)
        object.fail(place, describe_json(text) +
                               ", a layer without weights to compute with; give an object with \"weight\", or see the "
                               "sizes of the layer with 'convtool shape' or 'convtool explain'");
      layer.outline = Outline::none;
      layer.weights = {1};
    }
    return banks;
  }

  /// The kernel whose name is entry `i` of the list `key` of `object`.
  Bank read_named(const KernelObject& object, const std::string& key, std::size_t i) {
    const auto name = object.at(key)[i].get<std::string>();
    const std::string place = key + "/" + std::to_string(i);
    if (name.find('/') != std::string::npos || has_extension(name, ".json") || has_extension(name, ".npy"))
      object.fail(place, "'" + printable(name) +
                             "' is a file (expected a kernel's name such as \"sobel\", or an object); for weights in "
                             "a file write {\"weight\": \"FILE.npy\"}, and for a kernel file put its content here");
    if (!by_name_) object.fail(place, "a string (expected a matrix or an object with \"weight\")");
    Bank bank = [&] {
      try {
        return std::move(by_name_(name).banks.front());
      } catch (const Error& error) {
        object.fail(place, error.what());
      }
    }();
    for (const Layer& layer : bank.layers) weights_.add_count(layer.shape.count(), object, place);
    return bank;
  }

  /// Adds the kernels that entry `i` of a bank names.
  void add_named(const KernelObject& object, std::size_t i, Bank& bank) {
    Bank named = read_named(object, "bank", i);
    if (named.combine != Combine::none)
      object.fail("bank/" + std::to_string(i), "'" + named.name + "' combines the outputs of " +
                                                   std::to_string(named.layers.size()) +
                                                   " kernels, and a bank takes single kernels; name one of them, or "
                                                   "make it an entry in \"layers\"");
    for (Layer& layer : named.layers) bank.layers.push_back(std::move(layer));
  }

  /// A matrix, or an object with weights or a pool.
  Layer read_layer(const json& value, const std::string& pointer, const std::string& default_name, bool outermost) {
    if (value.is_array()) {
      const json object = {{"weight", value}};
      return read_convolution({object, source_, pointer}, "", default_name);
    }
    const KernelObject given(value, source_, pointer);
    if (!value.is_object())
      given.fail("", describe_json(value) + " is not a kernel (expected a matrix or an object with \"weight\")");
    if (is_special_layer(given)) return read_special_layer(given, default_name, outermost, weights_, needed_);
    const json renamed = without_aliases(given);
    const KernelObject object(renamed, source_, pointer);
    if (object.has("kernel_size")) return read_outline(object, default_name, outermost);
    check_keys(object, KernelPart::layer, outermost);
    if (!object.has("weight")) object.fail("", "no weight; a kernel needs \"weight\": [[...], ...]");
    if (object.at("weight").is_string()) refuse_name_as_weight(object);
    return read_convolution(object, "weight", default_name);
  }

  /// Weights may be the name of a file, but not of a kernel, which has options of its own.
  void refuse_name_as_weight(const KernelObject& object) const {
    if (!by_name_) return;
    const auto name = object.at("weight").get<std::string>();
    try {
      by_name_(name);
    } catch (const Error&) {
      return;
    }
    object.fail("weight", "'" + printable(name) +
                              "' is a kernel's name, which stands in place of the whole object: \"" + printable(name) +
                              "\"");
  }

  Layer read_convolution(const KernelObject& object, const std::string& weight_key, const std::string& default_name) {
    Layer layer{.name = object.text("name", default_name), .description = object.text("description", "")};
    if (object.flag("transposed")) layer.enlarging = Enlarging::transposed;
    weights_.read(object, weight_key, layer);
    read_options(object, layer);
    check_output_padding(object, layer);
    if (layer.enlarging == Enlarging::transposed) read_transposed_options(object, layer);
    return layer;
  }

  static void check_output_padding(const KernelObject& object, const Layer& layer) {
    if (object.has("output_padding") && layer.enlarging == Enlarging::none)
      object.fail("output_padding", "has no effect without \"transposed\": true; leave it out");
  }

  /// Turns a convolution without weights into the one that it transposes.
  static void make_transposed(const KernelObject& object, Layer& layer) {
    layer.shape.c_i_per_group = layer.shape.c_o / layer.params.groups;
    layer.shape.c_o = 0;
    layer.enlarging = Enlarging::transposed;
    read_transposed_options(object, layer);
  }

  /// A convolution without weights.
  Layer read_outline(const KernelObject& object, const std::string& default_name, bool outermost) {
    if (object.has("weight")) object.fail("", "both weight and kernel_size; keep one: the weights have a size");
    check_keys(object, KernelPart::outline, outermost);
    if (needed_ == Weights::required) refuse_without_weights(object);
    if (!object.has("out_channels"))
      object.fail("", "no out_channels; a layer without weights needs \"out_channels\": 64");
    Layer layer{.name = object.text("name", default_name), .description = object.text("description", ""), .rank = 4};
    const Extent size = object.extent("kernel_size", 1);
    layer.shape = {.c_o = object.integer("out_channels", 1), .c_i_per_group = 0, .kh = size.h, .kw = size.w};
    layer.params.groups = object.integer("groups", 1);
    if (layer.shape.c_o % layer.params.groups != 0)
      object.fail("groups", std::to_string(layer.params.groups) + " groups do not divide the " +
                                std::to_string(layer.shape.c_o) + " output channels");
    if (!object.has("bias") || object.flag("bias")) layer.bias = {0};
    read_options(object, layer);
    layer.outline = Outline::kernel;
    if (object.flag("transposed")) make_transposed(object, layer);
    check_output_padding(object, layer);
    return layer;
  }

  static void read_options(const KernelObject& object, Layer& layer) {
    layer.params.stride = object.extent("stride", 1);
    layer.params.dilation = object.extent("dilation", 1);
    layer.params.padding = object.padding();
    layer.params.padding_mode = object.padding_mode();
    layer.params.padding_value = static_cast<float>(object.number("padding_value", 0));
    if (layer.params.padding_mode != PaddingMode::constant && layer.params.padding_value != 0)
      object.fail("padding_value", "has no effect without padding_mode \"constant\"; leave it out");
    read_activation(object, layer);
  }

  const std::string& source_;
  const KernelByName& by_name_;
  KernelWeights weights_;
  Weights needed_;
};

}  // namespace

Network parse_kernel_json(std::string_view text, const std::string& source, const std::string& default_name,
                          const WeightReader& read_file, const KernelByName& by_name, Weights weights) {
  json document;
  try {
    document = parse_json(text, ErrorKind::kernel, source);
  } catch (const Error& error) {
    const std::string hint = json_hint(text);
    if (hint.empty()) throw;
    refuse_kernel("", error.what() + ("; " + hint));
  }
  return KernelReader(source, read_file, by_name, weights).read(document, default_name);
}

}  // namespace convtool
