// The table of commands and options, as what is generated from it reads it: completion scripts and the manual.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace convtool {

inline std::vector<const CLI::App*> commands_of(const CLI::App& app) { return app.get_subcommands({}); }

/// Those with dashes; what is left are operands.
std::vector<const CLI::Option*> options_of(const CLI::App& command);
std::vector<const CLI::Option*> operands_of(const CLI::App& command);

bool takes_value(const CLI::Option& option);

/// "--kernel", "-k".
std::vector<std::string> names_of(const CLI::Option& option);

}  // namespace convtool
