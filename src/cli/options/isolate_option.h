// The option --isolate, which all commands that decode pictures share.
#pragma once

#include <string>

#include "cli/options/command_line.h"
#include "pictures/isolation/picture_decoder.h"

namespace convtool {

/// The row of --isolate, whose word is put into `target`.
Option isolate_option(std::string& target);

/// Throws Error(usage) for an unknown word.
Isolation parse_isolation(const std::string& text);

}  // namespace convtool
