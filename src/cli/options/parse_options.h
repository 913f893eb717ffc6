// The parser of the options of a command. CLI11 does the work; nothing else includes it.
#pragma once

#include <string>
#include <vector>

#include "cli/options/command_line.h"

namespace convtool {

/// Parses the arguments after the command's name and fills the targets. -h and --help, which every command has, set
/// `help` and end the checks. Throws Error(usage): for unknown options first, then for values, then from the command's
/// own check, then for missing options and conflicts.
void parse_options(Command& command, const std::vector<std::string>& arguments);

}  // namespace convtool
