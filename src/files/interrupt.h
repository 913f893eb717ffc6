// Interruption by the user (SIGINT), which takes effect between two inputs.
#pragma once

#include <signal.h>

namespace convtool {

/// While a guard lives, the first SIGINT only sets a flag; the second ends the process at once, after its temporary
/// files are removed (files/temporary_file.h). Where SIGINT is ignored, as under nohup, it stays ignored. Only one
/// guard may live at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// Whether SIGINT has arrived. Thread-safe.
  static bool requested();
};

/// Ends the process by SIGINT's default action, so that a shell sees the reason.
[[noreturn]] void end_by_interrupt();

}  // namespace convtool
