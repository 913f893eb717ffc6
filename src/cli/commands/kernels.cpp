// convtool kernels: what it ships with, and what a kernel file means.

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/app.h"
#include "cli/commands/kernels_commands.h"
#include "cli/terminal/terminal.h"
#include "core/text.h"
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
  add_kernels_show(*command.add_subcommand("show", "one kernel's weights, options and origin, and what they tell"),
                   action);
  add_kernels_convert(*command.add_subcommand("convert", "kernels to and from the formats of other programs"), action);
  list_command->callback(list);
  add_kernels_import(*command.add_subcommand("import", "kernel files from the arrays of a safetensors file"), action);
  command.callback([&command, list] {
    if (command.get_subcommands().empty()) list();
  });
}

}  // namespace convtool
