#include "report/kernel_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "conv/plan.h"
#include "core/printable.h"
#include "core/text.h"
#include "network/kernel_traits.h"
#include "report/json_line.h"
#include "report/weights_text.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

struct Mirror {
  const char* key;
  const char* words;
  Symmetry PlaneTraits::*symmetry;
};
constexpr Mirror kMirrors[] = {{"left_right", "mirrored left to right", &PlaneTraits::left_right},
                               {"top_bottom", "mirrored top to bottom", &PlaneTraits::top_bottom},
                               {"half_turn", "rotated by 180 degrees", &PlaneTraits::half_turn},
                               {"quarter_turn", "rotated by 90 degrees", &PlaneTraits::quarter_turn}};

/// With the digits of a float, where the number is in its range.
std::string number_text(double number) {
  const auto narrow = static_cast<float>(number);
  return std::isfinite(narrow) ? to_text(narrow) : to_text(number);
}

std::string numbers_text(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) text += " " + number_text(number);
  return text;
}

std::string padding_text(const ConvParams& params) {
  if (params.padding == Padding{}) return "valid";
  const Pads& pads = params.padding.pads;
  std::string text = params.padding.rule != Padding::Rule::fixed
                         ? std::string(kPaddingRules[static_cast<int>(params.padding.rule)])
                         : std::to_string(pads.top) + "," + std::to_string(pads.left) + "," +
                               std::to_string(pads.bottom) + "," + std::to_string(pads.right);
  text += " " + std::string(to_string(params.padding_mode));
  if (params.padding_mode == PaddingMode::constant) text += " " + to_text(params.padding_value);
  return text;
}

std::string options_text(const Layer& layer) {
  const ConvParams& params = layer.params;
  const auto pair = [](const Extent& e) { return e.h == e.w ? std::to_string(e.h) : join_sizes({e.h, e.w}); };
  std::string text = "stride " + pair(params.stride);
  if (params.dilation != Extent{}) text += ", dilation " + pair(params.dilation);
  text += ", padding " + padding_text(params);
  if (params.groups > 1) text += ", groups " + std::to_string(params.groups);
  if (layer.output_padding != Extent{0, 0}) text += ", output padding " + pair(layer.output_padding);
  if (!layer.from.empty()) text += ", from '" + printable(layer.from) + "'";
  if (layer.activation != Activation::none)
    text += ", activation " + activation_text(layer.activation, layer.activation_numbers);
  return text;
}

/// "rank 1: column 1 2 1 times row -1 0 1", or for several planes "rank 1 in 2 planes, rank 2 in 1 plane".
/// In a window, factors that would fill several lines are left out.
std::string ranks_text(const std::vector<PlaneTraits>& planes, std::optional<std::size_t> columns) {
  const PlaneTraits& first = planes.front();
  if (!first.rank) return "rank unknown: too many weights";
  if (planes.size() == 1) {
    std::string text = "rank " + std::to_string(*first.rank);
    if (first.column.empty()) return text;
    const std::string factors = ": column" + numbers_text(first.column) + " times row" + numbers_text(first.row);
    return text + (columns && factors.size() > *columns ? ": a column times a row, which --json lists" : factors);
  }
  std::map<std::int64_t, int> counts;
  for (const PlaneTraits& plane : planes) ++counts[*plane.rank];
  std::string text;
  for (const auto& [rank, count] : counts) {
    text += (text.empty() ? "" : ", ") + ("rank " + std::to_string(rank)) + " in " + std::to_string(count) +
            (count == 1 ? " plane" : " planes");
  }
  return text;
}

/// The symmetries of all planes: "symmetric when mirrored top to bottom; antisymmetric when mirrored left to right".
std::string symmetries_text(const std::vector<PlaneTraits>& planes) {
  std::string text;
  for (const Symmetry kind : {Symmetry::symmetric, Symmetry::antisymmetric}) {
    std::string list;
    for (const Mirror& mirror : kMirrors) {
      const bool shared = std::all_of(planes.begin(), planes.end(),
                                      [&](const PlaneTraits& plane) { return plane.*mirror.symmetry == kind; });
      if (shared) list += (list.empty() ? " when " : ", ") + std::string(mirror.words);
    }
    if (list.empty()) continue;
    text += (text.empty() ? "" : "; ") + std::string(kSymmetries[static_cast<int>(kind)]) + list;
  }
  return text.empty() ? "no symmetry" : text;
}

/// A pool, upsampling or a sum.
std::string special_text(const Layer& layer) {
  const ConvParams& params = layer.params;
  const Pads& pads = params.padding.pads;
  std::string text = "  ";
  if (!layer.add.empty()) {
    text += "the input plus the output of '" + printable(layer.add) + "'";
  } else if (layer.pooling == Pooling::none) {
    text += layer.kind_text() + " by " + join_sizes({params.stride.h, params.stride.w});
  } else if (layer.pool.is_global) {
    text += std::string(kPoolings[static_cast<int>(layer.pooling)]) + " of the whole input";
  } else {
    text +=
        std::string(kPoolings[static_cast<int>(layer.pooling)]) + " of " + join_sizes(layer.dimensions()) +
        ", stride " + join_sizes({params.stride.h, params.stride.w}) + ", padding " +
        (pads.top == pads.bottom && pads.left == pads.right ? join_sizes({pads.top, pads.left}) : padding_text(params));
    if (params.dilation != Extent{}) text += ", dilation " + join_sizes({params.dilation.h, params.dilation.w});
    if (layer.pool.ceil_mode) text += ", size rounded up";
    if (!layer.pool.counts_padding) text += ", padding not counted";
  }
  if (!layer.from.empty()) text += ", from '" + printable(layer.from) + "'";
  if (layer.activation != Activation::none)
    text += ", activation " + activation_text(layer.activation, layer.activation_numbers);
  return text + "\n";
}

std::string layer_text(const Layer& layer, bool named, bool colours, std::optional<std::size_t> columns) {
  constexpr std::string_view kRankMeanings[] = {"each channel is filtered separately",
                                                "the input channels are summed into one",
                                                "[c_o][c_i/groups][kh][kw], as nn.Conv2d"};
  const bool is_transposed = layer.enlarging == Enlarging::transposed;
  if (!layer.kind_text().empty() && !is_transposed) return special_text(layer);
  std::string text = "  " + (named ? printable(layer.name) + ": " : std::string()) + join_sizes(layer.dimensions()) +
                     ", " +
                     (is_transposed ? "[c_i][c_o/groups][kh][kw], as nn.ConvTranspose2d"
                                    : std::string(kRankMeanings[layer.rank - 2])) +
                     "\n" + weights_text(layer, colours, columns);
  if (!layer.divisor.empty()) text += "    divided by" + numbers_text(layer.divisor) + "\n";
  const double sum = sum_of_weights(layer.weights.data(), std::ssize(layer.weights));
  text += "    sum " + number_text(sum);
  if (!layer.bias.empty()) text += ", bias" + numbers_text({layer.bias.begin(), layer.bias.end()});
  text += ", " + options_text(layer) + "\n";
  if (!is_transposed) text += "    response at frequency 0:" + numbers_text(responses_at_zero(layer)) + "\n";
  const std::vector<PlaneTraits> planes = plane_traits(layer);
  return text + "    " + ranks_text(planes, columns) + "\n    " + symmetries_text(planes) + "\n";
}

std::string title_text(const Network& network) {
  return printable(network.name + (network.description.empty() ? "" : ": " + network.description)) + "\n";
}

std::string input_text(const KernelReport& report) {
  return to_string(report.typical_input) + " " + std::string(to_string(report.typical_dtype));
}

std::string choice_text(const KernelReport& report) {
  std::string text = "  apply, on " + input_text(report) + ": ";
  if (report.algorithms.empty()) return text + "cannot run (" + printable(report.refusal) + ")\n";
  std::vector<std::size_t> counts = report.folded;
  if (counts.empty()) counts.assign(report.algorithms.size(), 1);
  std::size_t layer = 0;
  for (const std::size_t count : counts) {
    text += (layer == 0 ? "" : ", then ") + report.algorithms[layer];
    if (count > 1)
      text += " for layers " + std::to_string(layer + 1) + " to " + std::to_string(layer + count) + " folded into one";
    layer += count;
  }
  return text + " with " + std::string(instruction_set_in_use()) + "\n";
}

ordered_json extent_json(const Extent& extent) { return {extent.h, extent.w}; }

/// Nested lists, as in a kernel file. Advances `weight`.
ordered_json weights_json(const std::vector<std::int64_t>& dimensions, const float*& weight, std::size_t level = 0) {
  if (level == dimensions.size()) return static_cast<double>(*weight++);
  ordered_json list = ordered_json::array();
  for (std::int64_t i = 0; i < dimensions[level]; ++i) list.push_back(weights_json(dimensions, weight, level + 1));
  return list;
}

ordered_json plane_json(const PlaneTraits& traits) {
  ordered_json object = {{"rank", nullptr}, {"separable", nullptr}};
  if (traits.rank) object["rank"] = *traits.rank;
  if (!traits.column.empty()) object["separable"] = {{"column", traits.column}, {"row", traits.row}};
  for (const Mirror& mirror : kMirrors)
    object["symmetry"][mirror.key] = kSymmetries[static_cast<int>(traits.*mirror.symmetry)];
  return object;
}

/// A pool, upsampling or a sum.
ordered_json special_json(const Layer& layer) {
  const Pads& pads = layer.params.padding.pads;
  ordered_json object = {{"name", layer.name}};
  if (!layer.add.empty()) {
    object["add"] = layer.add;
  } else if (layer.pooling == Pooling::none) {
    object["upsample"] = kEnlargings[static_cast<int>(layer.enlarging)];
    object["scale"] = extent_json(layer.params.stride);
  } else {
    object["pool"] = kPoolings[static_cast<int>(layer.pooling)];
    object["shape"] = layer.pool.is_global ? ordered_json("global") : ordered_json(layer.dimensions());
    object["stride"] = extent_json(layer.params.stride);
    object["pads"] = {pads.top, pads.left, pads.bottom, pads.right};
    object["dilation"] = extent_json(layer.params.dilation);
    object["ceil_mode"] = layer.pool.ceil_mode;
    object["count_include_pad"] = layer.pool.counts_padding;
  }
  if (!layer.from.empty()) object["from"] = layer.from;
  object["activation"] = ordered_json::parse(activation_json(layer.activation, layer.activation_numbers));
  return object;
}

ordered_json layer_json(const Layer& layer) {
  const bool is_transposed = layer.enlarging == Enlarging::transposed;
  if (!layer.kind_text().empty() && !is_transposed) return special_json(layer);
  const ConvParams& params = layer.params;
  const float* weight = layer.weights.data();
  ordered_json object = {{"name", layer.name},
                         {"shape", layer.dimensions()},
                         {"weight", weights_json(layer.dimensions(), weight)},
                         {"divisor", layer.divisor},
                         {"bias", layer.bias},
                         {"stride", extent_json(params.stride)},
                         {"dilation", extent_json(params.dilation)}};
  const Pads& pads = params.padding.pads;
  if (params.padding.rule == Padding::Rule::fixed)
    object["pads"] = {pads.top, pads.left, pads.bottom, pads.right};
  else
    object["padding"] = kPaddingRules[static_cast<int>(params.padding.rule)];
  object["padding_mode"] = to_string(params.padding_mode);
  object["padding_value"] = params.padding_value;
  object["groups"] = params.groups;
  if (!layer.from.empty()) object["from"] = layer.from;
  object["activation"] = ordered_json::parse(activation_json(layer.activation, layer.activation_numbers));
  object["sum"] = sum_of_weights(layer.weights.data(), std::ssize(layer.weights));
  if (is_transposed) {
    object["transposed"] = true;
    object["output_padding"] = extent_json(layer.output_padding);
  } else {
    object["response_at_frequency_0"] = responses_at_zero(layer);
  }
  object["planes"] = ordered_json::array();
  for (const PlaneTraits& traits : plane_traits(layer)) object["planes"].push_back(plane_json(traits));
  return object;
}

}  // namespace

std::string to_text(const KernelReport& report, bool colours, std::optional<std::size_t> columns) {
  const Network& network = report.network;
  std::string text = title_text(network);
  for (const Bank& bank : network.banks) {
    if (network.banks.size() > 1) text += "  layer " + printable(bank.name) + "\n";
    const bool several = bank.layers.size() > 1;
    if (several)
      text += "  bank of " + std::to_string(bank.layers.size()) + ", combine " +
              std::string(kCombines[static_cast<int>(bank.combine)]) + "\n";
    for (const Layer& layer : bank.layers) text += layer_text(layer, several, colours, columns);
    if (bank.map) text += "  map " + std::string(to_string(*bank.map)) + "\n";
  }
  return text + choice_text(report);
}

std::string to_short_text(const KernelReport& report) {
  const Network& network = report.network;
  std::size_t name_width = 0, size_width = 0;
  for (const Bank& bank : network.banks) {
    name_width = std::max(name_width, printable(bank.name).size());
    for (const Layer& layer : bank.layers) size_width = std::max(size_width, join_sizes(layer.dimensions()).size());
  }
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
  };
  const std::size_t number_width = std::to_string(network.banks.size()).size();
  std::string text = title_text(network);
  for (std::size_t i = 0; i < network.banks.size(); ++i) {
    const Bank& bank = network.banks[i];
    const std::string number = std::to_string(i + 1);
    for (const Layer& layer : bank.layers) {
      const bool is_first = &layer == &bank.layers.front();
      text += "  " + std::string(number_width - (is_first ? number.size() : 0), ' ') + (is_first ? number : "") + "  " +
              padded(is_first ? printable(bank.name) : "", name_width) + "  ";
      if (layer.kind_text().empty() || layer.enlarging == Enlarging::transposed)
        text += padded(join_sizes(layer.dimensions()), size_width) + "  " +
                (layer.is_batch_norm ? "batch normalisation, " : "") + options_text(layer) + "\n";
      else
        text += special_text(layer).substr(2);
    }
    if (bank.combine != Combine::none)
      text += std::string(number_width + name_width + 6, ' ') + "combined by " +
              std::string(kCombines[static_cast<int>(bank.combine)]) + "\n";
  }
  return text;
}

std::string to_json(const KernelReport& report) {
  const Network& network = report.network;
  ordered_json object = {{"version", 1}, {"name", network.name}, {"description", network.description}};
  object["layers"] = ordered_json::array();
  for (std::size_t i = 0; i < network.banks.size(); ++i) {
    const Bank& bank = network.banks[i];
    ordered_json& item = object["layers"].emplace_back(
        ordered_json{{"name", bank.name}, {"combine", kCombines[static_cast<int>(bank.combine)]}, {"map", nullptr}});
    if (bank.map) item["map"] = to_string(*bank.map);
    item["algorithm"] = report.algorithms.empty() ? ordered_json() : ordered_json(report.algorithms[i]);
    item["kernels"] = ordered_json::array();
    for (const Layer& layer : bank.layers) item["kernels"].push_back(layer_json(layer));
  }
  if (!report.folded.empty()) object["folded"] = report.folded;
  const Shape& shape = report.typical_input;
  object["typical_input"] = {{"shape", {shape.c, shape.h, shape.w}}, {"dtype", to_string(report.typical_dtype)}};
  object["refusal"] = report.refusal.empty() ? ordered_json() : ordered_json(report.refusal);
  object["instruction_set"] = instruction_set_in_use();
  return json_line(object);
}

}  // namespace convtool
