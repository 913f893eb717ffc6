// The command line: parsed, run, and turned into an exit code.
#pragma once

namespace convtool {

/// Parses and runs one command line and returns kExitDone or kExitFailed. Throws Error where the run as a whole
/// fails.
int run_command_line(int argc, const char* const* argv);

}  // namespace convtool
