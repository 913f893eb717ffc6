// The command line: parsed, run, and turned into an exit code.
#pragma once

#include "core/error.h"

namespace convtool {

/// Exit codes, apart from 128+N for signal N.
inline constexpr int kExitDone = 0;    ///< all inputs done; skipped counts as done
inline constexpr int kExitFailed = 1;  ///< at least one input failed, the others are done
inline constexpr int kExitUsage = 2;   ///< a usage or kernel error, found before any work

/// Parses and runs one command line and returns kExitDone or kExitFailed. Throws Error for what ends the run as a
/// whole.
int run_command_line(int argc, const char* const* argv);

/// The exit code for an Error that ends the run as a whole.
constexpr int exit_code(ErrorKind kind) {
  return kind == ErrorKind::usage || kind == ErrorKind::kernel ? kExitUsage : kExitFailed;
}

}  // namespace convtool
