// Threads: one pool for the process, and a loop over ranges on top of it.
#pragma once

#include <cstdint>
#include <functional>

namespace convtool {

/// Cores this process may run on, at least 1.
int available_cores();

/// Splits [0, count) into at most `threads` ranges of nearly equal length and calls `body(begin, end)` once for each,
/// concurrently; returns when all are done. `threads` 0 means available_cores(), and fewer are used where the system
/// grants no more. The caller's thread does its share, so
/// `threads` 1 runs everything here. `body` may not call parallel_for itself. When bodies throw, the first exception is
/// rethrown here once all have ended.
void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t, std::int64_t)>& body);

}  // namespace convtool
