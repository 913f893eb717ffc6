#include "kernels/files/kernel_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <utility>

#include "core/suggest.h"
#include "files/json_text.h"
#include "kernels/files/weight_file.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

using nlohmann::json;

/// Names that other programs use, and ours for the same thing.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"weights", "weight"}, {"kernel", "weight"}, {"strides", "stride"}, {"dilations", "dilation"}, {"group", "groups"}};

/// A window of more pixels is refused: so many weights of 1 are as many as a kernel file could hold.
constexpr std::int64_t kLargestWindow = std::int64_t{1} << 24;

/// Reads one JSON document; every error names the file and the JSON pointer.
class KernelReader {
 public:
  /// The files that weights are read from are relative to `folder`, and are added to `files`.
  KernelReader(const std::string& source, const std::string& folder, std::vector<std::string>& files)
      : source_(source), folder_(folder), files_(files) {}

  Network read(const json& document, const std::string& default_name) const {
    if (!document.is_array() && !document.is_object()) {
      fail("", describe_json(document) +
                   " is not a kernel (expected a matrix such as [[1, -1]], or an object with \"weight\")");
    }
    Network network;
    if (document.is_object() && document.contains("layers")) return read_network(document, default_name);
    network.banks.push_back(read_bank_or_layer(document, "", default_name, true));
    network.name = network.banks.front().name;
    network.description = network.banks.front().description;
    return network;
  }

 private:
  [[noreturn]] void fail(const std::string& pointer, const std::string& message) const {
    throw Error(ErrorKind::kernel, source_, (pointer.empty() ? "" : pointer + ": ") + message);
  }

  Network read_network(const json& object, const std::string& default_name) const {
    check_keys(object, "", {"name", "description", "layers", "map"});
    Network network{.name = text(object, "", "name", default_name), .description = text(object, "", "description", "")};
    const json& list = nonempty_list(object, "", "layers");
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string name = list.size() == 1 ? network.name : network.name + "-" + std::to_string(i + 1);
      network.banks.push_back(read_bank_or_layer(list[i], "/layers/" + std::to_string(i), name, false));
    }
    network.banks.back().map = read_map(object, "");
    return network;
  }

  /// `outermost`: only there a map belongs, since it makes picture values of the last responses.
  Bank read_bank_or_layer(const json& value, const std::string& at, const std::string& default_name,
                          bool outermost) const {
    Bank bank;
    if (value.is_object() && value.contains("bank")) {
      check_keys(value, at,
                 outermost ? Keys{"name", "description", "bank", "combine", "map"}
                           : Keys{"name", "description", "bank", "combine"});
      bank.name = text(value, at, "name", default_name);
      bank.description = text(value, at, "description", "");
      const json& list = nonempty_list(value, at, "bank");
      for (std::size_t i = 0; i < list.size(); ++i) {
        bank.layers.push_back(
            read_layer(list[i], at + "/bank/" + std::to_string(i), bank.name + "-" + std::to_string(i + 1), false));
      }
      bank.combine = static_cast<Combine>(choice(value, at, "combine", kCombines, 0));
      check_alike(bank);
    } else if (value.is_object() && value.contains("pool")) {
      bank.layers.push_back(read_pool(value, at, default_name, outermost));
      bank.name = bank.layers.front().name;
      bank.description = bank.layers.front().description;
    } else {
      bank.layers.push_back(read_layer(value, at, default_name, outermost));
      bank.name = bank.layers.front().name;
      bank.description = bank.layers.front().description;
    }
    if (value.is_object()) bank.map = read_map(value, at);
    return bank;
  }

  void check_alike(const Bank& bank) const {
    try {
      check_bank(bank);
    } catch (const Error& error) {
      throw Error(ErrorKind::kernel, source_, error.what());
    }
  }

  Layer read_layer(const json& value, const std::string& at, const std::string& default_name, bool map_allowed) const {
    if (value.is_array()) return read_layer(json{{"weight", value}}, at, default_name, map_allowed, /*bare=*/true);
    if (!value.is_object())
      fail(at, describe_json(value) + " is not a kernel (expected a matrix or an object with \"weight\")");
    return read_layer(value, at, default_name, map_allowed, /*bare=*/false);
  }

  Layer read_layer(const json& given, const std::string& at, const std::string& default_name, bool map_allowed,
                   bool bare) const {
    Keys keys{"name",     "description", "weight", "bias",         "divisor",       "normalize", "stride",
              "dilation", "padding",     "pads",   "padding_mode", "padding_value", "groups",    "activation"};
    if (map_allowed) keys.push_back("map");
    const json object = without_aliases(given, at);
    check_keys(object, at, keys);
    if (!object.contains("weight")) fail(at, "no weight; a kernel needs \"weight\": [[...], ...]");

    Layer layer;
    layer.name = text(object, at, "name", default_name);
    layer.description = text(object, at, "description", "");
    read_weight(object, at, bare ? at : at + "/weight", layer);
    layer.params.stride = extent(object, at, "stride", 1);
    layer.params.dilation = extent(object, at, "dilation", 1);
    layer.params.padding = read_padding(object, at);
    layer.params.padding_mode = static_cast<PaddingMode>(choice(object, at, "padding_mode", kPaddingModes, 0));
    layer.params.padding_value = static_cast<float>(number(object, at, "padding_value", 0));
    if (layer.params.padding_mode != PaddingMode::constant && layer.params.padding_value != 0) {
      fail(at + "/padding_value", "only padding_mode \"constant\" has a value");
    }
    layer.params.groups = read_groups(object, at, layer);
    read_bias(object, at, layer);
    layer.activation = static_cast<Activation>(choice(object, at, "activation", kActivations, 0));
    return layer;
  }

  /// A pooling layer, with nn.MaxPool2d's and nn.AvgPool2d's rules.
  Layer read_pool(const json& object, const std::string& at, const std::string& default_name, bool map_allowed) const {
    Keys keys{"name", "description", "pool", "size", "stride", "padding"};
    if (map_allowed) keys.push_back("map");
    check_keys(object, at, keys);
    if (!object.contains("size")) fail(at, "no size; a pool needs \"size\": 2, or [h, w]");
    constexpr std::string_view kWords[] = {"max", "mean"};
    constexpr Pooling kKinds[] = {Pooling::max, Pooling::mean};

    Layer layer;
    layer.name = text(object, at, "name", default_name);
    layer.description = text(object, at, "description", "");
    layer.pooling = kKinds[choice(object, at, "pool", kWords, 0)];
    const Extent size = extent(object, at, "size", 1);
    if (size.h > kLargestWindow / size.w)
      fail(at + "/size", "a window of more than " + std::to_string(kLargestWindow) + " pixels");
    layer.shape = {.kh = size.h, .kw = size.w};
    if (layer.pooling == Pooling::mean) {
      count_weights(size.h * size.w, at + "/size");
      layer.weights.assign(static_cast<std::size_t>(size.h * size.w), 1.0F);
      layer.divisor = {static_cast<double>(size.h * size.w)};
    }
    layer.params.stride = object.contains("stride") ? extent(object, at, "stride", 1) : size;
    const Extent padding = extent(object, at, "padding", 0);
    if (padding.h > size.h / 2 || padding.w > size.w / 2)
      fail(at + "/padding", "more than half of the size, so that a window could lie in it alone (at most " +
                                std::to_string(size.h / 2) + "x" + std::to_string(size.w / 2) + ")");
    layer.params.padding.pads = {padding.h, padding.w, padding.h, padding.w};
    return layer;
  }

  /// Numbers that stand here, or in the file that is named here.
  WeightFile read_block(const json& value, const std::string& pointer) const {
    if (!value.is_string()) {
      const NumberBlock block = read_numbers(value, pointer, ErrorKind::kernel, source_);
      return {.path = "", .dimensions = block.dimensions, .values = {block.values.begin(), block.values.end()}};
    }
    try {
      WeightFile block = read_weight_file(value.get<std::string>(), folder_, kMostReferredWeights - weights_);
      count_weights(std::ssize(block.values), pointer);
      files_.push_back(block.path);
      return block;
    } catch (const Error& error) {
      fail(pointer, error.what());
    }
  }

  /// A few words ask for many weights, by name or by the size of a window; their number is limited.
  void count_weights(std::int64_t count, const std::string& pointer) const {
    weights_ += count;
    if (weights_ > kMostReferredWeights)
      fail(pointer, "makes more than " + std::to_string(kMostReferredWeights) +
                        " weights together with those before it; split the network");
  }

  void read_weight(const json& object, const std::string& at, const std::string& pointer, Layer& layer) const {
    const json& weight = object.at("weight");
    if (!weight.is_array() && !weight.is_string())
      fail(pointer, describe_json(weight) +
                        " is not a matrix of weights (expected nested lists of rank 2, 3 or 4, or the name of a file)");
    WeightFile block = read_block(weight, pointer);
    const auto& d = block.dimensions;
    layer.rank = static_cast<int>(d.size());
    if (layer.rank < 2 || layer.rank > 4) {
      fail(pointer, "weights of rank " + std::to_string(d.size()) +
                        (d.size() == 1 ? "; for a single row write [[...]]" : "") +
                        " (expected 2: [kh][kw], 3: [c_i][kh][kw] or 4: [c_o][c_i/groups][kh][kw])");
    }
    layer.shape = {.c_o = layer.rank == 4 ? d[0] : 1,
                   .c_i_per_group = layer.rank == 2 ? 1 : d[d.size() - 3],
                   .kh = d[d.size() - 2],
                   .kw = d[d.size() - 1]};

    layer.weights = std::move(block.values);
    layer.divisor = read_divisor(object, at, pointer, layer);
  }

  /// The divisor, or for normalize the sums of the weights of each output channel, whatever the divisor; empty for 1.
  std::vector<double> read_divisor(const json& object, const std::string& at, const std::string& pointer,
                                   const Layer& layer) const {
    const double divisor = number(object, at, "divisor", 1);
    if (divisor == 0) fail(at + "/divisor", "every weight is divided by it, so it cannot be 0");
    std::vector<double> divisors;
    if (flag(object, at, "normalize")) {
      divisors = sums_of_weights(layer, pointer);
    } else if (divisor != 1) {
      divisors = {divisor};
    }
    const float largest = *std::max_element(layer.weights.begin(), layer.weights.end(),
                                            [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    for (const double by : divisors) {
      if (!(std::fabs(static_cast<double>(largest) / by) <= static_cast<double>(std::numeric_limits<float>::max()))) {
        fail(pointer, "a weight beyond float32 after the division");
      }
    }
    return divisors;
  }

  /// One sum for each output channel. One of 0, as far as float can tell, is refused.
  std::vector<double> sums_of_weights(const Layer& layer, const std::string& pointer) const {
    std::vector<double> sums;
    for (std::int64_t o = 0; o < layer.shape.c_o; ++o) {
      sums.push_back(sum_of_weights(layer.weights.data() + o * layer.shape.taps(), layer.shape.taps()));
      if (sums.back() == 0)
        fail(pointer, "normalize divides by the sum of the weights, which is 0; remove normalize, or use divisor");
    }
    return sums;
  }

  std::int64_t read_groups(const json& object, const std::string& at, const Layer& layer) const {
    if (!object.contains("groups")) return 1;
    const std::int64_t groups = integer(object.at("groups"), at + "/groups", 1);
    if (groups > 1 && layer.rank != 4) {
      fail(at + "/groups", "groups need weights of rank 4, [c_o][c_i/groups][kh][kw] (got rank " +
                               std::to_string(layer.rank) +
                               (layer.rank == 2 ? ", which filters every channel alone as it is)" : ")"));
    }
    if (layer.shape.c_o % groups != 0) {
      fail(at + "/groups", std::to_string(groups) + " groups do not divide the " + std::to_string(layer.shape.c_o) +
                               " output channels");
    }
    return groups;
  }

  void read_bias(const json& object, const std::string& at, Layer& layer) const {
    if (!object.contains("bias")) return;
    const json& bias = object.at("bias");
    WeightFile block = read_block(bias, at + "/bias");
    if (block.dimensions.size() > 1)
      fail(at + "/bias", "rank " + std::to_string(block.dimensions.size()) +
                             " (expected a number, or a list with one per output channel)");
    const auto given = static_cast<std::int64_t>(block.values.size());
    if (layer.rank != 2 && given != 1 && given != layer.shape.c_o) {
      fail(at + "/bias", std::to_string(given) + " numbers (expected 1, or " + std::to_string(layer.shape.c_o) +
                             ", one per output channel)");
    }
    layer.bias = std::move(block.values);
  }

  Padding read_padding(const json& object, const std::string& at) const {
    Padding padding;
    if (object.contains("pads")) {
      if (object.contains("padding")) fail(at, "both padding and pads; keep one");
      const json& pads = object.at("pads");
      if (!pads.is_array() || pads.size() != 4) fail(at + "/pads", "expected [top, left, bottom, right]");
      const auto side = [&](std::size_t i) { return integer(pads[i], at + "/pads/" + std::to_string(i), 0); };
      padding.pads = {side(0), side(1), side(2), side(3)};
      return padding;
    }
    if (!object.contains("padding")) return padding;
    const json& value = object.at("padding");
    if (!value.is_string()) {
      if (value.is_array() && value.size() == 4)
        fail(at + "/padding", "four numbers (expected one, or [h, w]); four sides go under \"pads\"");
      const Extent per_side = extent(object, at, "padding", 0);
      padding.pads = {per_side.h, per_side.w, per_side.h, per_side.w};
      return padding;
    }
    constexpr std::string_view kWords[] = {"valid", "same", "same_lower", "full"};
    constexpr Padding::Rule kRules[] = {Padding::Rule::fixed, Padding::Rule::same, Padding::Rule::same_lower,
                                        Padding::Rule::full};
    padding.rule = kRules[choice(object, at, "padding", kWords, 0)];
    return padding;
  }

  std::optional<OutputMap> read_map(const json& object, const std::string& at) const {
    if (!object.contains("map")) return std::nullopt;
    return static_cast<OutputMap>(choice(object, at, "map", kOutputMaps, 0));
  }

  // Single values, by key.

  using Keys = std::vector<std::string_view>;

  json without_aliases(const json& object, const std::string& at) const {
    json result = object;
    read_auto_pad(result, at);
    for (const auto& [alias, ours] : kAliases) {
      const std::string from(alias), to(ours);
      if (!result.contains(from)) continue;
      if (result.contains(to)) fail(at, "both " + to + " and " + from + ", which mean the same; keep one");
      result[to] = std::move(result[from]);
      result.erase(from);
    }
    return result;
  }

  /// Puts ONNX's auto_pad in the words of "padding". NOTSET means that "pads" decide.
  void read_auto_pad(json& object, const std::string& at) const {
    if (!object.contains("auto_pad")) return;
    constexpr std::string_view kWords[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"};
    constexpr const char* kOurs[] = {"", "valid", "same", "same_lower"};
    const std::size_t word = choice(object, at, "auto_pad", kWords, 0);
    object.erase("auto_pad");
    if (word == 0) return;
    if (object.contains("padding")) fail(at, "both padding and auto_pad; keep one");
    if (object.contains("pads")) fail(at, "both pads and auto_pad; keep one");
    object["padding"] = kOurs[word];
  }

  void check_keys(const json& object, const std::string& at, const Keys& known) const {
    for (const auto& item : object.items()) {
      bool found = item.key() == "$schema" && at.empty();  // by which editors find the schema
      for (const std::string_view key : known) found = found || key == item.key();
      if (found) continue;
      if (item.key() == "map")
        fail(at + "/map", "map belongs to the outermost object, since it makes picture values of the final result");
      std::string list;
      for (const std::string_view key : known) list += (list.empty() ? "" : ", ") + std::string(key);
      const std::string hint = suggestion(item.key(), known);
      fail(at + pointer_step(item.key()), "unknown key" + (hint.empty() ? " (known: " + list + ")" : hint));
    }
  }

  const json& nonempty_list(const json& object, const std::string& at, const std::string& key) const {
    const json& list = object.at(key);
    if (!list.is_array() || list.empty())
      fail(at + "/" + key, describe_json(list) + " (expected a list of at least one kernel)");
    return list;
  }

  std::string text(const json& object, const std::string& at, const std::string& key,
                   const std::string& fallback) const {
    if (!object.contains(key)) return fallback;
    const json& value = object.at(key);
    if (!value.is_string()) fail(at + "/" + key, describe_json(value) + " (expected a string)");
    return value.get<std::string>().empty() ? fallback : value.get<std::string>();
  }

  bool flag(const json& object, const std::string& at, const std::string& key) const {
    if (!object.contains(key)) return false;
    const json& value = object.at(key);
    if (!value.is_boolean()) fail(at + "/" + key, describe_json(value) + " (expected true or false)");
    return value.get<bool>();
  }

  double number(const json& object, const std::string& at, const std::string& key, double fallback) const {
    if (!object.contains(key)) return fallback;
    const json& value = object.at(key);
    if (value.is_array()) fail(at + "/" + key, "a list (expected a number)");
    return read_numbers(value, at + "/" + key, ErrorKind::kernel, source_).values.front();
  }

  std::int64_t integer(const json& value, const std::string& pointer, std::int64_t least) const {
    const double number = value.is_number() ? value.get<double>() : std::nan("");
    if (!(number >= static_cast<double>(least) && number <= static_cast<double>(kLargestParameter) &&
          number == std::floor(number))) {
      fail(pointer, describe_json(value) + " (expected a whole number from " + std::to_string(least) + " to " +
                        std::to_string(kLargestParameter) + ")");
    }
    return static_cast<std::int64_t>(number);
  }

  /// A number for both, or [h, w].
  Extent extent(const json& object, const std::string& at, const std::string& key, std::int64_t least) const {
    if (!object.contains(key)) return {.h = least, .w = least};
    const json& value = object.at(key);
    const std::string pointer = at + "/" + key;
    if (!value.is_array()) {
      const std::int64_t both = integer(value, pointer, least);
      return {.h = both, .w = both};
    }
    if (value.size() != 2)
      fail(pointer, "a list of " + std::to_string(value.size()) + " (expected a number, or [h, w])");
    return {.h = integer(value[0], pointer + "/0", least), .w = integer(value[1], pointer + "/1", least)};
  }

  template <std::size_t count>
  std::size_t choice(const json& object, const std::string& at, const std::string& key,
                     const std::string_view (&words)[count], std::size_t fallback) const {
    if (!object.contains(key)) return fallback;
    const json& value = object.at(key);
    const std::string word = value.is_string() ? value.get<std::string>() : "";
    std::string list;
    for (std::size_t i = 0; i < count; ++i) {
      if (value.is_string() && words[i] == word) return i;
      list += (i == 0 ? "" : ", ") + std::string(words[i]);
    }
    fail(at + "/" + key,
         describe_json(value) + " (expected one of " + list + ")" + suggestion(word, {words, words + count}));
  }

  const std::string& source_;
  const std::string& folder_;
  std::vector<std::string>& files_;
  mutable std::int64_t weights_ = 0;  // that few words ask for
};

}  // namespace

Network parse_kernel_json(std::string_view text, const std::string& source, const std::string& default_name,
                          const std::string& folder) {
  std::vector<std::string> files;
  const KernelReader reader(source, folder, files);
  Network network = reader.read(parse_json(text, ErrorKind::kernel, source), default_name);
  network.files = std::move(files);
  return network;
}

Network parse_kernel_npy(std::span<const std::byte> bytes, const std::string& source, const std::string& default_name) {
  RankedTensor block;
  try {
    block = parse_npy(bytes);
  } catch (const Error& error) {
    throw Error(ErrorKind::kernel, source, error.what());
  }
  const Shape& shape = block.tensor.shape();
  Layer layer;
  layer.name = default_name;
  layer.rank = block.rank;
  layer.shape = {.c_o = shape.n, .c_i_per_group = shape.c, .kh = shape.h, .kw = shape.w};
  const float* data = block.tensor.data<float>();
  layer.weights.assign(data, data + shape.count());
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    if (!std::isfinite(layer.weights[i])) {
      throw Error(ErrorKind::kernel, source,
                  "weight " + std::to_string(i) + " in the file's order is NaN or infinite; weights must be finite");
    }
  }
  Network network{.name = default_name};
  network.banks.push_back({.name = default_name, .layers = {std::move(layer)}});
  return network;
}

}  // namespace convtool
