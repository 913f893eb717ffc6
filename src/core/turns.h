// Threads that work on numbered items side by side, and pass on the results in their order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace convtool {

/// Lets threads pass one by one, in the order of their numbers from 1. Every number must end(), or those after it wait
/// for ever. Thread-safe.
class Turns {
 public:
  /// Returns once all numbers before this one have ended.
  void await(std::int64_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return next_ == number; });
  }

  /// Lets the next number pass. Call it after await(number).
  void end(std::int64_t number) {
    {
      const std::lock_guard lock(mutex_);
      next_ = number + 1;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t next_ = 1;
};

}  // namespace convtool
