// System calls that a test can make fail, or do something before. They replace those of the C library in the program
// that links failing_calls.cpp; unless a test says otherwise, they are the same.
#pragma once

#include <atomic>
#include <functional>

namespace convtool::testing {

/// What the calls do; each member is empty or 0 for the system's own behaviour. Not thread-safe.
struct FailingCalls {
  std::function<void()> before_read, before_renameat2;
  bool write_takes_nothing = false;  ///< write(2) and pwrite(2) return 0
  int renameat2_error = 0, link_error = 0, getrandom_error = 0;
};
extern FailingCalls failing_calls;

/// Calls of fsync(2) so far.
extern std::atomic<int> fsync_calls;

/// Restores the system's calls at its end.
class FailingCallsGuard {
 public:
  ~FailingCallsGuard() { failing_calls = {}; }
};

}  // namespace convtool::testing
