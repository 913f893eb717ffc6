// The report of the bench command: the time of each workload on this machine.
#pragma once

#include <string>
#include <vector>

#include "bench/roof.h"
#include "bench/timing.h"

namespace convtool {

/// A workload on one number of threads.
struct BenchTiming {
  int threads = 1;
  Timing timing;
  Figures figures;
};

struct BenchLine {
  std::string id, name, algorithm;
  std::vector<BenchTiming> timings;  ///< in increasing order of threads; at least one
};

/// The header of the table for these numbers of threads.
std::string bench_head(const std::vector<int>& threads);

/// A row of the table: milliseconds for each number of threads, and the other figures for the last of them.
std::string to_text(const BenchLine& line);

/// One JSON object: instruction_set, cores, roofs (one for each of `threads`) and results (one for each line).
std::string to_json(const std::vector<BenchLine>& lines, Roof& roof, const std::vector<int>& threads);

}  // namespace convtool
