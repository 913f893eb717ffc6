// convtool kernels: list the kernels, and the commands that show, convert and import them.

#include "cli/commands/kernels/kernels.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "cli/commands/topics.h"
#include "cli/exit_code.h"
#include "cli/terminal/terminal.h"
#include "core/text.h"
#include "kernels/generated.h"
#include "kernels/kernel_source.h"
#include "kernels/shipped.h"
#include "report/kernel_list.h"

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

/// The description of a kernel without the origin of its coefficients, which `show` prints.
std::string first_clause(const std::string& description) { return description.substr(0, description.find(';')); }

std::string list_text() {
  constexpr std::size_t kNameWidth = 14, kSizeWidth = 22;
  std::string text;
  for (const ShippedKernel& shipped : shipped_kernels()) {
    const Network network = load_kernel(std::string(shipped.name));
    text += padded(std::string(shipped.name), kNameWidth) + padded(size_text(network), kSizeWidth) +
            first_clause(network.description) + "\n";
  }
  text += "\nGenerated: -k NAME:param=value,...\n";
  for (const Generator& generator : generators()) {
    text += padded(std::string(generator.name), kNameWidth) + std::string(generator.description) + "; " +
            std::string(generator.origin) + "\n";
    for (const GeneratorParameter& parameter : generator.parameters) {
      text +=
          padded("", kNameWidth) + padded(std::string(parameter.name) + "=", 8) + std::string(parameter.meaning) + "\n";
    }
  }
  text +=
      "\nunsharp and log without parameters are the shipped kernels, in integers. They differ from the generated ones "
      "with\ndefault parameters, such as unsharp:amount=1 and log:sigma=1.4.\n";
  return text;
}

std::string list_json() {
  std::vector<Network> shipped;
  for (const ShippedKernel& kernel : shipped_kernels()) shipped.push_back(load_kernel(std::string(kernel.name)));
  return kernel_list_json(shipped, generators());
}

int run_list(bool json) {
  print(json ? list_json() + "\n" : list_text());
  return kExitDone;
}

void declare_list(Command& command) {
  auto json = std::make_shared<bool>(false);
  command.text = "Lists the shipped kernels with their sizes, and the generated ones with their parameters.";
  command.add("Options", {{.names = "--json", .target = json.get(), .brief = "list as a JSON object"}});
  command.run = [json] { return run_list(*json); };
}

}  // namespace

void declare_kernels(Command& command) {
  command.text = kKernelFormatText;
  command.examples = R"(  convtool kernels                                  lists the kernels
  convtool kernels show sobel
  convtool kernels convert sobel-x -o sobel.mat
  convtool kernels import model.onnx -o net.json)";
  command.add_command("list", "list the shipped and generated kernels", declare_list);
  command.add_command("show", "print a kernel's weights, properties and origin", declare_kernels_show);
  command.add_command("convert", "convert kernels from and to other formats", declare_kernels_convert);
  command.add_command("import", "write kernel files for an ONNX model, or the arrays of a safetensors file", declare_kernels_import);
  auto json = std::make_shared<bool>(false);
  command.add("Options", {{.names = "--json", .target = json.get(), .brief = "list the kernels as a JSON object"}});
  command.run = [json] { return run_list(*json); };
}

}  // namespace convtool
