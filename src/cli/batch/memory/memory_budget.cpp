#include "cli/batch/memory/memory_budget.h"

#include <string>

#include "core/error.h"

namespace convtool {

void MemoryBudget::refuse(std::int64_t bytes, const std::string& cause) const {
  const bool is_small = limit_ < 1 << 20;
  const std::int64_t unit = is_small ? 1 << 10 : 1 << 20;
  const std::string name = is_small ? " KiB" : " MiB";
  const std::string needed = std::to_string((bytes + unit - 1) / unit) + name;
  throw Error(ErrorKind::memory, "",
              (cause.empty() ? "needs up to " + needed + " of memory"
                             : cause + " needs the whole picture in memory, up to " + needed) +
                  " (at most " + std::to_string(limit_ / unit) + name +
                  " may be used); raise --memory-limit, or crop the input");
}

void MemoryBudget::take(std::int64_t bytes, const std::string& cause) {
  if (bytes > limit_) refuse(bytes, cause);
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [&] { return bytes <= limit_ - taken_; });
  taken_ += bytes;
}

void MemoryBudget::give_back(std::int64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    taken_ -= bytes;
  }
  freed_.notify_all();
}

}  // namespace convtool
