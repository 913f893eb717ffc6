// Errors for words on the command line that convtool does not know, with what the user may have meant.
#pragma once

#include <string>
#include <vector>

#include "cli/options/command_line.h"

namespace convtool {

/// Throws Error(usage) for `word`, an option or argument that `command` does not take. `arguments` are all of its
/// arguments: the value of an unknown option is looked up there.
[[noreturn]] void refuse_unknown_word(const Command& command, const std::string& word,
                                      const std::vector<std::string>& arguments);

/// Throws Error(usage) for `word` where the name of one of the commands of `command` belongs.
[[noreturn]] void refuse_unknown_command(const Command& command, const std::string& word);

}  // namespace convtool
