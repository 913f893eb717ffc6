// Stopping when the user asks for it, between two pieces of work.
#pragma once

#include <signal.h>

namespace convtool {

/// While one lives, the first SIGINT is noted, and the next ends the process at once, its temporaries removed
/// (temporary_file.h). Where SIGINT is ignored, as under nohup, it stays so. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// Whether SIGINT has come. From any thread.
  static bool requested();
};

/// Ends the process as SIGINT does by default, so that shells see why.
[[noreturn]] void end_by_interrupt();

}  // namespace convtool
