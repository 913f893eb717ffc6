// How much memory inputs take, and what those in flight may take together.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "cli/job/source.h"

namespace convtool {

struct FilterOptions;

/// Bytes that filtering an input takes at most at one time, beyond those of the program itself: its file and decoded
/// pixels, what its decoder keeps, the responses between stages, the result, and the result encoded. `file_bytes` is
/// the length of the file. Of a kernel that does not
/// fit the input or makes more than the most pixels of it, which is refused later, the result is left out.
std::int64_t memory_needed(const SourceHeader& header, std::int64_t file_bytes, const FileFormat& result_format,
                           const FilterOptions& options);

/// Three quarters of what the machine, or the control group (Linux, cgroup v2), gives this process.
std::int64_t default_memory_limit();

/// What inputs in flight may take together. From several threads at once.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::int64_t limit) : limit_(limit) {}

  /// A part of the budget, given back in the end.
  class Share {
   public:
    Share(MemoryBudget& budget, std::int64_t bytes) : budget_(budget), bytes_(bytes) {}
    ~Share() { budget_.give_back(bytes_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    MemoryBudget& budget_;
    std::int64_t bytes_;
  };

  /// Waits until `bytes` are free and takes them. Throws Error(memory) when they are more than there will ever be.
  Share take(std::int64_t bytes);

  /// Throws the same for what needs so many bytes.
  [[noreturn]] void refuse(std::int64_t bytes) const;

  /// Held from before a file is read until its share is taken: files do not pile up before those that wait.
  [[nodiscard]] std::unique_lock<std::mutex> turn() { return std::unique_lock(turn_); }

 private:
  void give_back(std::int64_t bytes);

  const std::int64_t limit_;
  std::mutex turn_, mutex_;
  std::condition_variable freed_;
  std::int64_t taken_ = 0;
};

}  // namespace convtool
