#include "cli/options/option_table.h"

namespace convtool {
namespace {

std::vector<const CLI::Option*> all_of(const CLI::App& command, bool operands) {
  std::vector<const CLI::Option*> all;
  for (const CLI::Option* option : command.get_options())
    if (option->get_positional() == operands) all.push_back(option);
  return all;
}

}  // namespace

std::vector<const CLI::Option*> options_of(const CLI::App& command) { return all_of(command, false); }
std::vector<const CLI::Option*> operands_of(const CLI::App& command) { return all_of(command, true); }

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  return names;
}

}  // namespace convtool
