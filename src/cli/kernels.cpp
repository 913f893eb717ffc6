// convtool kernels: what it ships with, and what a kernel file means.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/app.h"
#include "cli/command.h"
#include "cli/print.h"
#include "core/text.h"
#include "io/weights_text.h"
#include "kernels/generated.h"
#include "kernels/kernel_source.h"
#include "kernels/shipped.h"

namespace convtool {
namespace {

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

/// "3x3", "8 of 3x3 (max)", "2 layers".
std::string size_text(const Network& network) {
  if (network.banks.size() > 1) return std::to_string(network.banks.size()) + " layers";
  const Bank& bank = network.banks.front();
  const std::string one = join_sizes(bank.layers.front().dimensions());
  if (bank.layers.size() == 1) return one;
  return std::to_string(bank.layers.size()) + " of " + one + " (" +
         std::string(kCombines[static_cast<int>(bank.combine)]) + ")";
}

/// What a kernel does, without the origin of its coefficients, which `show` tells.
std::string first_clause(const std::string& description) { return description.substr(0, description.find(';')); }

std::string list_text() {
  constexpr std::size_t kNameWidth = 14, kSizeWidth = 22;
  std::string text;
  for (const ShippedKernel& shipped : shipped_kernels()) {
    const Network network = load_kernel(std::string(shipped.name));
    text += padded(std::string(shipped.name), kNameWidth) + padded(size_text(network), kSizeWidth) +
            first_clause(network.description) + "\n";
  }
  text += "\nGenerated, by NAME:param=value,...\n";
  for (const Generator& generator : generators()) {
    text += padded(std::string(generator.name), kNameWidth) + std::string(generator.description) + "; " +
            std::string(generator.origin) + "\n";
    for (const GeneratorParameter& parameter : generator.parameters) {
      text +=
          padded("", kNameWidth) + padded(std::string(parameter.name) + "=", 8) + std::string(parameter.meaning) + "\n";
    }
  }
  return text;
}

double divisor_of(const Layer& layer, std::int64_t o) {
  if (layer.divisor.empty()) return 1;
  return layer.divisor[layer.divisor.size() == 1 ? 0 : static_cast<std::size_t>(o)];
}

std::string pool_text(const Layer& layer) {
  const ConvParams& params = layer.params;
  const Pads& pads = params.padding.pads;
  return "  " + std::string(kPoolings[static_cast<int>(layer.pooling)]) + " of " + join_sizes(layer.dimensions()) +
         ", stride " + join_sizes({params.stride.h, params.stride.w}) + ", padding " +
         join_sizes({pads.top, pads.left}) + "\n";
}

std::string layer_text(const Layer& layer, bool named) {
  constexpr std::string_view kRankMeanings[] = {"every channel is filtered alone",
                                                "the input channels are summed into one",
                                                "[c_o][c_i/groups][kh][kw], as nn.Conv2d"};
  if (layer.pooling != Pooling::none) return pool_text(layer);
  const std::int64_t taps = layer.shape.taps();
  double sum = 0;
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    sum += static_cast<double>(layer.weights[i]) / divisor_of(layer, static_cast<std::int64_t>(i) / taps);
  }
  std::string text = "  " + (named ? layer.name + ": " : std::string()) + join_sizes(layer.dimensions()) + ", " +
                     std::string(kRankMeanings[layer.rank - 2]) + "\n" + weights_text(layer);
  if (!layer.divisor.empty()) {
    text += "    divided by";
    for (const double divisor : layer.divisor) text += " " + to_text(divisor);
    text += "\n";
  }
  text += "    sum " + (sums_to_zero(layer) ? "0" : to_text(static_cast<float>(sum)));
  if (!layer.bias.empty()) {
    text += ", bias";
    for (const float bias : layer.bias) text += " " + to_text(bias);
  }
  const ConvParams& params = layer.params;
  const auto pair = [](const Extent& e) { return e.h == e.w ? std::to_string(e.h) : join_sizes({e.h, e.w}); };
  text += ", stride " + pair(params.stride);
  if (params.dilation != Extent{}) text += ", dilation " + pair(params.dilation);
  constexpr std::string_view kRules[] = {"", "same", "same_lower", "full"};
  const Pads& pads = params.padding.pads;
  text += ", padding " + (params.padding.rule != Padding::Rule::fixed
                              ? std::string(kRules[static_cast<int>(params.padding.rule)])
                          : pads == Pads{} ? std::string("valid")
                                           : std::to_string(pads.top) + "," + std::to_string(pads.left) + "," +
                                                 std::to_string(pads.bottom) + "," + std::to_string(pads.right));
  if (params.padding != Padding{}) {
    text += " " + std::string(to_string(params.padding_mode));
    if (params.padding_mode == PaddingMode::constant) text += " " + to_text(params.padding_value);
  }
  if (params.groups > 1) text += ", groups " + std::to_string(params.groups);
  if (layer.activation != Activation::none)
    text += ", activation " + std::string(kActivations[static_cast<int>(layer.activation)]);
  return text + "\n";
}

std::string show_text(const Network& network) {
  std::string text = printable(network.name + (network.description.empty() ? "" : ": " + network.description)) + "\n";
  for (const Bank& bank : network.banks) {
    if (network.banks.size() > 1) text += "  layer " + bank.name + "\n";
    const bool several = bank.layers.size() > 1;
    if (several)
      text += "  bank of " + std::to_string(bank.layers.size()) + ", combine " +
              std::string(kCombines[static_cast<int>(bank.combine)]) + "\n";
    for (const Layer& layer : bank.layers) text += layer_text(layer, several);
    if (bank.map) text += "  map " + std::string(to_string(*bank.map)) + "\n";
  }
  return text;
}

}  // namespace

void add_kernels(CLI::App& command, Action& action) {
  command.require_subcommand(0, 1);
  const auto list = [&action] {
    action = [] {
      print(list_text());
      return kExitDone;
    };
  };
  CLI::App* list_command = command.add_subcommand("list", "every shipped and generated kernel");
  CLI::App* show_command = command.add_subcommand("show", "weights, sum, options and origin of one kernel");
  auto kernel = std::make_shared<std::string>();
  show_command->add_option("NAME", *kernel, "a name, a kernel file, or inline JSON")->required();
  list_command->callback(list);
  add_kernels_import(*command.add_subcommand("import", "kernel files from the arrays of a safetensors file"), action);
  show_command->callback([kernel, &action] {
    action = [kernel] {
      print(show_text(load_kernel(*kernel)));
      return kExitDone;
    };
  });
  command.callback([&command, list] {
    if (command.get_subcommands().empty()) list();
  });
}

}  // namespace convtool
