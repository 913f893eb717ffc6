// What max and mean pools have in common.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "conv/kernel.h"
#include "conv/plan.h"
#include "conv/problem.h"
#include "core/parallel.h"

namespace convtool {

/// The threads of a pool. With few input elements, more threads cost more than they save.
inline int pool_threads(const ConvProblem& windows, const PlanOptions& options) {
  constexpr std::int64_t kFew = 1 << 16;
  if (windows.input.count() < kFew) return 1;
  return options.threads == 0 ? available_cores() : options.threads;
}

/// For a Sink that stores responses without another bias or divisor.
inline Kernel no_change(std::int64_t channels) {
  return {.shape = {.c_o = channels}, .weights = {}, .bias = std::vector<float>(static_cast<std::size_t>(channels))};
}

/// Runs the output rows of all pictures on `threads` threads, each with a `Pooler` of its own from `make`, whose
/// run(n, row, stats) computes row `row` of picture `n` in every channel.
template <class Make>
ResponseStats run_pool(const ConvProblem& windows, int threads, Make&& make) {
  const Shape out = output_shape(windows);
  ResponseStats total;
  std::mutex mutex;
  parallel_for(out.n * out.h, threads, [&](std::int64_t begin, std::int64_t end) {
    auto pooler = make();
    ResponseStats stats;
    for (std::int64_t row = begin; row < end; ++row) pooler.run(row / out.h, row % out.h, stats);
    std::lock_guard lock(mutex);
    total.merge(stats);
  });
  return total;
}

}  // namespace convtool
