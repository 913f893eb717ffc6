// What the bench command tells: how long the engine takes for each workload on this machine.
#pragma once

#include <string>
#include <vector>

#include "bench/roof.h"
#include "bench/timing.h"

namespace convtool {

/// A workload on so many threads.
struct BenchTiming {
  int threads = 1;
  Timing timing;
  Figures figures;
};

struct BenchLine {
  std::string id, name, algorithm;
  std::vector<BenchTiming> timings;  ///< by rising number of threads; at least one
};

/// The head of a table for these numbers of threads.
std::string bench_head(const std::vector<int>& threads);

/// A row of it: milliseconds for each number of threads, the other figures for the last.
std::string to_text(const BenchLine& line);

/// One JSON object: instruction_set, cores, roofs (for each of `threads`), results (one object for each line).
std::string to_json(const std::vector<BenchLine>& lines, Roof& roof, const std::vector<int>& threads);

}  // namespace convtool
