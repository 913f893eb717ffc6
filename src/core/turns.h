// Threads that work on numbered items side by side, and pass on the results in their order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace convtool {

/// Lets threads pass one by one, in the order of their numbers from 1. Each number must have an OrderedTurn, or those
/// after it wait for ever. Thread-safe.
class Turns {
 private:
  friend class OrderedTurn;

  void await(std::int64_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return next_ == number; });
  }

  void end(std::int64_t number) {
    {
      const std::lock_guard lock(mutex_);
      next_ = number + 1;
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t next_ = 1;
};

/// A number among others, from the start of the work on its item to the end, also by an exception.
class OrderedTurn {
 public:
  OrderedTurn(Turns& turns, std::int64_t number) : turns_(turns), number_(number) {}
  OrderedTurn(const OrderedTurn&) = delete;
  OrderedTurn& operator=(const OrderedTurn&) = delete;

  /// Lets the next number pass, after those before it.
  ~OrderedTurn() {
    await();
    turns_.end(number_);
  }

  /// Returns once all numbers before this one have ended.
  void await() { turns_.await(number_); }

 private:
  Turns& turns_;
  const std::int64_t number_;
};

}  // namespace convtool
