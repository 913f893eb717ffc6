// The commands behind `convtool kernels`, but for `list`, each in the file of its name.
#pragma once

#include "cli/command.h"

namespace convtool {

void add_kernels_show(CLI::App& command, Action& action);
void add_kernels_convert(CLI::App& command, Action& action);
void add_kernels_import(CLI::App& command, Action& action);

}  // namespace convtool
