// What the commands have in common. Each has one file; the table that lists them is in app.cpp.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace convtool {

/// Runs the command that was parsed and returns the exit code; set by the command's callback.
using Action = std::function<int()>;

/// Each gives `command`, named and described by the table, its options and what it does.
void add_apply(CLI::App& command, Action& action);
void add_edges(CLI::App& command, Action& action);
void add_completion(CLI::App& command, Action& action);
void add_bench(CLI::App& command, Action& action);
void add_shape(CLI::App& command, Action& action);
void add_learn(CLI::App& command, Action& action);
void add_kernels(CLI::App& command, Action& action);
void add_manual(CLI::App& command, Action& action);

}  // namespace convtool
