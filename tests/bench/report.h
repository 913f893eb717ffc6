// The benchmark's output: tables in Markdown, and JSON.
#pragma once

#include <string>
#include <vector>

#include "bench/roof.h"
#include "measure.h"

namespace convtool {

/// The measurements of a workload on one thread and on all.
struct Result {
  Workload workload;
  std::vector<Measurement> measurements;  ///< by increasing number of threads
};

/// The header of the table in Markdown, with columns for these numbers of threads.
std::string table_head(const std::vector<int>& threads);

/// One row of the table. It has median times in milliseconds, with the distance between the quartiles in percent, of
/// running a plan and of creating and running one; and the ratio of the best peer's time to ours.
std::string table_row(const Result& result, Roof& roof);

/// Lists peers left out, wrong results and unsteady timings. For several workloads it adds the geometric means of the
/// ratios for each group and number of threads.
std::string summary(const std::vector<Result>& results);

/// Writes all timings in Google Benchmark's JSON format, so that its compare.py can compare two runs.
void write_json(const std::string& path, const std::vector<Result>& results, Roof& roof);

}  // namespace convtool
