// The exit codes of the program.
#pragma once

#include "core/error.h"

namespace convtool {

// In addition 128+N for signal N.
inline constexpr int kExitDone = 0;    ///< all inputs are done; skipped ones count as done
inline constexpr int kExitFailed = 1;  ///< at least one input failed; the others are done
inline constexpr int kExitUsage = 2;   ///< a usage or kernel error, found before any work

/// The exit code for an Error that ends the run as a whole.
constexpr int exit_code(ErrorKind kind) {
  return kind == ErrorKind::usage || kind == ErrorKind::kernel ? kExitUsage : kExitFailed;
}

}  // namespace convtool
