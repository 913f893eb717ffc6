// A line on the terminal that tells how far a run has come.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "cli/terminal/status_line.h"

namespace convtool {

enum class ProgressMode { automatic, always, never };
inline constexpr std::string_view kProgressModes[] = {"auto", "always", "never"};

/// "12/40 [######              ] 3.1 MP/s, 9 s left": of `done` inputs of `count`, with so many pixels, after so long.
std::string progress_text(std::size_t done, std::size_t count, double pixels, double seconds);

/// The line stands on standard error, below all that is printed meanwhile. Not for several threads at once.
class Progress {
 public:
  /// Automatic: when standard error is a terminal that can erase a line, and there is more than one input.
  Progress(ProgressMode mode, std::size_t count);

  /// Takes the line away: before anything else is printed.
  void erase() { line_.erase(); }

  /// One more input has ended; draws the line anew where it stands no longer, or a tenth of a second ago.
  void ended(double pixels);

 private:
  using Clock = std::chrono::steady_clock;

  StatusLine line_;
  std::size_t count_, done_ = 0;
  double pixels_ = 0;
  Clock::time_point start_ = Clock::now();
};

}  // namespace convtool
