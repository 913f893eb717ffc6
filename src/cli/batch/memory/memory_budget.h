// How much memory the inputs of a batch may take together.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

namespace convtool {

/// Memory for the inputs that are processed at the same time. Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::int64_t limit) : limit_(limit) {}

  /// A part of the budget, given back by the destructor.
  class Share {
   public:
    /// Waits until `bytes` are free, and takes them. Throws as refuse() does if they exceed the limit.
    Share(MemoryBudget& budget, std::int64_t bytes, const std::string& cause = "") : budget_(budget), bytes_(bytes) {
      budget.take(bytes, cause);
    }
    ~Share() { budget_.give_back(bytes_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    MemoryBudget& budget_;
    std::int64_t bytes_;
  };

  /// Throws Error(memory). `cause`, unless empty, is what needs the whole picture in memory.
  [[noreturn]] void refuse(std::int64_t bytes, const std::string& cause = "") const;

  /// A lock to hold from before a file is read until its share is taken, so that at most one file waits in memory.
  [[nodiscard]] std::unique_lock<std::mutex> turn() { return std::unique_lock(turn_); }

 private:
  void take(std::int64_t bytes, const std::string& cause);
  void give_back(std::int64_t bytes);

  const std::int64_t limit_;
  std::mutex turn_, mutex_;
  std::condition_variable freed_;
  std::int64_t taken_ = 0;
};

}  // namespace convtool
