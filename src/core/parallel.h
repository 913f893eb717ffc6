// Threads: one pool for the process, and loops over ranges and rows on top of it.
#pragma once

#include <cstdint>
#include <functional>

#include "core/tensor.h"
#include "core/work_share.h"

namespace convtool {

/// Cores this process may run on, at least 1.
int available_cores();

/// Splits [0, count) into at most `threads` ranges of nearly equal length and calls `body(begin, end)` once for each,
/// concurrently; returns when all are done. `threads` 0 means available_cores(). Fewer threads are used if the system
/// grants no more. The calling thread takes part, so `threads` 1 runs everything in it, and a thread that the system
/// wakes too late leaves its range to the others: on a machine that is busy nothing waits for it. `body` may not call
/// parallel_for itself. If bodies throw, the first exception is rethrown once all that have begun have ended; ranges may
/// then be left out.
void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t, std::int64_t)>& body);

/// Shares the items of [0, count) among at most `threads` threads, and lets idle threads take from the shares of others.
/// Calls `body(share)` once on each of them; `body` takes items from its share until there are none. Threads that are
/// late, nesting and exceptions are as in parallel_for().
void share_work(std::int64_t count, int threads, const std::function<void(WorkShare&)>& body);

/// Calls `work` on `threads` threads, including this one, and waits for all of them; fewer if the system grants no
/// more. They are not the pool's, so `work` may call parallel_for, and may wait for something outside. If works throw,
/// the first exception is rethrown once all have ended.
void run_threads(int threads, const std::function<void()>& work);

/// Calls `use(n, y)` for every row of every picture of a batch, concurrently on `threads` threads (0: one per core).
template <class Use>
void for_each_row(const Shape& shape, int threads, const Use& use) {
  parallel_for(shape.n * shape.h, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) use(row / shape.h, row % shape.h);
  });
}

/// Cuts [0, count) into the fewest parts no longer than `most`, nearly equal, and calls make(begin, end) for each in
/// order. `count` is not 0.
template <class Make>
void cut_evenly(std::int64_t count, std::int64_t most, const Make& make) {
  const std::int64_t parts = (count + most - 1) / most, size = count / parts, longer = count % parts;
  for (std::int64_t part = 0, begin = 0; part < parts; ++part) {
    const std::int64_t end = begin + size + (part < longer ? 1 : 0);
    make(begin, end);
    begin = end;
  }
}

}  // namespace convtool
