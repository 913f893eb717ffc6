#include "fuzz/json_mutator.h"

#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/random.h"

namespace convtool::fuzz {
namespace {

using nlohmann::json;

/// The keys of every format in JSON.
const std::vector<std::string>& keys() {
  static const std::vector<std::string> all = {
      "name",    "weight", "bias",   "divisor",         "normalize", "stride",        "dilation",
      "padding", "pads",   "bank",   "padding_mode",    "groups",    "padding_value", "activation",
      "map",     "kernel", "scale",  "combine",         "layers",    "pool",          "size",
      "width",   "height", "offset", "replace_invalid", "factor",    "border",        "auto_pad"};
  return all;
}

const std::vector<json>& values() {
  static const std::vector<json> all = json::parse(R"([
      0, 1, 2, 3, -1, 0.5, 5, 17, 255, 256, 65536, 16777217, 1073741824, 1e-45, 1e-30, 1e30, 3.4028234e38, -0.0, 1e300,
      true, null, "", "a.npy", "bc.npy", "def.npy", "ghij.npy",
      "same", "same_lower", "full", "valid", "SAME_UPPER", "constant", "reflect", "symmetric", "replicate", "circular",
      "relu", "abs", "magnitude", "l1", "max", "min", "sum", "mean", "normalize", "signed", "offset", "clip",
      [1, 2], [2, 1, 0, 3], [0, 0, 0, 0], [[1, -1]], [[1, 2, 1], [2, 4, 2], [1, 2, 1]], [[[1, 2]], [[3, 4]]],
      [[[[1]]], [[[2]]]], [[[[1, 0.5], [-2, 3]]]], [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]],
      [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
      {"weight": [[1]]}, {"pool": "max", "size": 2}, {"pool": "mean", "size": [3, 2]}])");
  return all;
}

void collect(json& node, std::vector<json*>& nodes) {
  nodes.push_back(&node);
  if (node.is_structured())
    for (json& child : node) collect(child, nodes);
}

template <class List>
auto position(List& list, Random& random) {
  return std::next(list.begin(), random.between(0, std::ssize(list) - 1));
}

void mutate_once(json& root, Random& random) {
  std::vector<json*> nodes;
  collect(root, nodes);
  json& node = *random.pick(nodes);
  const std::int64_t way = random.between(0, 5);
  if (node.is_object() && way < 4) {
    node[random.pick(keys())] = random.pick(values());
  } else if (node.is_structured() && node.size() > 1 && way == 4) {
    node.erase(position(node, random));
  } else if (node.is_array() && !node.empty() && way < 3) {
    const json copy = *position(node, random);
    node.insert(position(node, random), copy);
  } else if (node.is_number() && way < 3) {
    node = static_cast<double>(random.between(-32, 32)) / (way == 0 ? 1 : 8);
  } else {
    const json value = random.pick(values());
    node = value;
  }
}

}  // namespace

std::size_t mutate_kernel_json(std::uint8_t* data, std::size_t size, std::size_t limit, unsigned seed) {
  Random random(seed);
  if (random.chance(4)) return 0;
  json root = json::parse(data, data + size, nullptr, false);
  if (root.is_discarded()) return 0;
  for (std::int64_t changes = random.between(1, 3); changes > 0; --changes) mutate_once(root, random);
  const std::string text = root.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > limit) return 0;
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

}  // namespace convtool::fuzz
