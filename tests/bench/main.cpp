// bench_convtool: the engine against other libraries, workload by workload.
//
//   cmake --preset bench && cmake --build --preset bench
//   build/bench/bench_convtool                           every workload, as a table in Markdown; takes some minutes
//   build/bench/bench_convtool --filter I1               the workloads whose "ID NAME" contains I1
//   build/bench/bench_convtool --filter "f32x1 512x512 3x3" --min-time 1
//   build/bench/bench_convtool --json FILE               all timings, in Google Benchmark's format
//
// The engine and its peers get the same bytes and the same border, and work in memory. Results are checked before
// anything is timed: ours against the definition, the peers' against ours. The engine and its peers then take turns, on
// one thread and afterwards on all; the figures are medians. Whatever a peer can prepare beforehand is not timed.
// OpenCV is always included; oneDNN, libvips and FFTW are included if CMake finds them.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <set>

#include "core/parallel.h"
#include "report.h"

namespace {

using namespace convtool;

/// The exit code: 0, or 1 if a result of the engine was wrong.
int run(const std::string& filter, const std::string& json, double min_seconds, bool list) {
  const std::vector<Workload> selected = workloads(filter);
  if (selected.empty()) {
    std::fprintf(stderr, "bench_convtool: no workload's id and name contain '%s'; see --list\n", filter.c_str());
    return 2;
  }
  if (list) {
    for (const Workload& workload : selected) std::printf("%s %s\n", workload.id.c_str(), workload.name.c_str());
    return 0;
  }
  const std::set<int> distinct = {1, available_cores()};
  const std::vector<int> threads(distinct.begin(), distinct.end());
  Roof roof;
  std::vector<Result> results;
  bool all_right = true;
  std::printf("%s\n\n%s", roof_text(roof, threads).c_str(), table_head(threads).c_str());
  for (const Workload& workload : selected) {
    Result result{.workload = workload};
    for (const int count : threads) {
      result.measurements.push_back(measure(workload, count, min_seconds));
      all_right &= result.measurements.back().wrong.empty();
    }
    std::printf("%s", table_row(result, roof).c_str());
    std::fflush(stdout);
    results.push_back(std::move(result));
  }
  std::printf("\n%s", summary(results).c_str());
  if (!json.empty()) write_json(json, results, roof);
  return all_right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    CLI::App app("Times convtool's engine against other libraries.");
    std::string filter, json;
    double min_seconds = 0.2;
    bool list = false;
    app.add_option("--filter", filter, "only workloads whose id and name contain this text");
    app.add_option("--json", json, "write all timings to this file");
    app.add_option("--min-time", min_seconds, "seconds of calls for each contender")->capture_default_str();
    app.add_flag("--list", list, "print the workloads and time nothing");
    CLI11_PARSE(app, argc, argv);
    return run(filter, json, min_seconds, list);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_convtool: %s\n", error.what());
    return 2;
  }
}
