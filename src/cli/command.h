// The commands. Each has a file of its own in commands/; the table that lists them is in app.cpp.
#pragma once

#include "cli/options/command_line.h"

namespace convtool {

/// Each fills in `command`, which has its name and its place in the tree: texts, options, and what it does.
void declare_apply(Command& command);
void declare_edges(Command& command);
void declare_shape(Command& command);
void declare_explain(Command& command);
void declare_learn(Command& command);
void declare_kernels(Command& command);
void declare_bench(Command& command);
void declare_completion(Command& command);
void declare_manual(Command& command);
void declare_help(Command& command);

}  // namespace convtool
