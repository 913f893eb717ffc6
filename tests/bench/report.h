// What the benchmark prints and writes.
#pragma once

#include <string>
#include <vector>

#include "bench/roof.h"
#include "measure.h"

namespace convtool {

/// A workload on one thread and on all.
struct Result {
  Workload workload;
  std::vector<Measurement> measurements;  ///< by rising number of threads
};

/// The head of the table in Markdown, for these numbers of threads.
std::string table_head(const std::vector<int>& threads);

/// One row: milliseconds as the median, with the distance of the quartiles in percent, of running a plan and of making
/// and running one; ratios are the best peer's time over ours.
std::string table_row(const Result& result, Roof& roof);

/// Peers left out, results that are wrong, timings that are unsettled, and, of several workloads, geometric means of
/// the ratios for each group and number of threads.
std::string summary(const std::vector<Result>& results);

/// All timings in Google Benchmark's JSON, so that its compare.py compares two runs.
void write_json(const std::string& path, const std::vector<Result>& results, Roof& roof);

}  // namespace convtool
