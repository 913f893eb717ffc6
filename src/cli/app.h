// The command line: parsed, run, and turned into an exit code.
#pragma once

namespace convtool {

/// Parses and runs one command line and returns kExitDone or kExitFailed. Throws Error for what ends the run as a
/// whole.
int run_command_line(int argc, const char* const* argv);

}  // namespace convtool
