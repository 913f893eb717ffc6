// The commands below `convtool kernels`, except `list`; each is in the file of its name.
#pragma once

#include "cli/command.h"

namespace convtool {

void declare_kernels_show(Command& command);
void declare_kernels_convert(Command& command);
void declare_kernels_import(Command& command);

}  // namespace convtool
