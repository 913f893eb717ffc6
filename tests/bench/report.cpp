#include "report.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

namespace convtool {
namespace {

std::string number_text(const char* format, double number) {
  char text[32];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

/// "4.71 ±2 %".
std::string milliseconds(const Timing& timing) {
  return number_text("%.4g", timing.median * 1e3) + " ±" + number_text("%.0f", timing.spread() * 100) + " %";
}

/// One cell for each number of threads.
template <class Text>
std::string cells(const Result& result, Text&& text) {
  std::string row;
  for (const Measurement& m : result.measurements) row += " " + (m.wrong.empty() ? text(m) : "wrong") + " |";
  return row;
}

/// The best time of those peers whose name begins with `library`, over ours; 0 when there is none.
double ratio_to(const Measurement& m, const std::string& library) {
  double best = 0;
  for (const PeerTiming& peer : m.peers) {
    if (peer.name.starts_with(library) && (best == 0 || peer.timing.median < best)) best = peer.timing.median;
  }
  return m.ours.median > 0 ? best / m.ours.median : 0;
}

/// Ratios of one group of workloads to one library.
struct Mean {
  double sum_of_logarithms = 0, least = 0;
  int count = 0;

  void add(double ratio) {
    sum_of_logarithms += std::log(ratio);
    least = count == 0 ? ratio : std::min(least, ratio);
    ++count;
  }
};

benchmark::BenchmarkReporter::Run run_of(const Workload& workload, const std::string& contender, int threads,
                                         const Timing& timing, Roof& roof) {
  benchmark::BenchmarkReporter::Run run;
  run.run_name.function_name = workload.id + " " + workload.name + "/" + contender;
  run.run_name.threads = "threads:" + std::to_string(threads);
  run.family_index = run.per_family_instance_index = 0;
  run.repetition_index = 0;
  run.repetitions = 1;
  run.threads = threads;
  run.iterations = 1;
  run.time_unit = benchmark::kMillisecond;
  run.real_accumulated_time = run.cpu_accumulated_time = timing.median;
  run.counters = {{"least_ms", timing.least * 1e3},
                  {"lower_quartile_ms", timing.lower_quartile * 1e3},
                  {"upper_quartile_ms", timing.upper_quartile * 1e3},
                  {"ns_per_pixel", timing.median * 1e9 / static_cast<double>(workload.output_shape().count())},
                  {"gmac_per_second", mac_count(workload.problem) / timing.median * 1e-9},
                  {"share_of_roof", roof.share(workload, threads, timing.median)}};
  return run;
}

}  // namespace

std::string table_head(const std::vector<int>& threads) {
  std::string head = "| id | workload | algorithm |", rule = "| --- | --- | --- |";
  for (const char* column : {"ms, ", "with plan, ", "best peer, ", "ms, ", "ratio, ", "of roof, "}) {
    for (const int count : threads) {
      head += " " + std::string(column) + std::to_string(count) + "T |";
      rule += " --- |";
    }
  }
  return head + "\n" + rule + "\n";
}

std::string table_row(const Result& result, Roof& roof) {
  const auto if_peer = [](const Measurement& m, const auto& text) {
    return m.best_peer() == nullptr ? std::string("-") : text(*m.best_peer());
  };
  std::string row =
      "| " + result.workload.id + " | " + result.workload.name + " | " + result.measurements.back().algorithm + " |";
  row += cells(result, [](const Measurement& m) { return milliseconds(m.ours); });
  row += cells(result, [](const Measurement& m) { return milliseconds(m.with_plan); });
  row += cells(result, [&](const Measurement& m) { return if_peer(m, [](const PeerTiming& p) { return p.name; }); });
  row += cells(result, [&](const Measurement& m) {
    return if_peer(m, [](const PeerTiming& p) { return milliseconds(p.timing); });
  });
  row += cells(result, [&](const Measurement& m) {
    return if_peer(m, [&](const PeerTiming& p) { return number_text("%.2f", p.timing.median / m.ours.median); });
  });
  row += cells(result, [&](const Measurement& m) {
    return number_text("%.0f", roof.share(result.workload, m.threads, m.ours.median) * 100) + " %";
  });
  return row + "\n";
}

std::string summary(const std::vector<Result>& results) {
  std::string text;
  std::map<std::pair<std::string, int>, Mean> means;
  for (const Result& result : results) {
    const std::string line = result.workload.id + " " + result.workload.name;
    std::set<std::string> notes;  // mostly the same for every number of threads
    for (const Measurement& m : result.measurements) {
      notes.insert(m.notes.begin(), m.notes.end());
      if (!m.wrong.empty()) notes.insert("WRONG with " + m.algorithm + ": " + m.wrong);
      for (const std::string library : {"OpenCV", "oneDNN", "libvips", "FFTW"}) {
        const double ratio = ratio_to(m, library);
        if (ratio > 0) means[{result.workload.id + " against " + library, m.threads}].add(ratio);
        if (ratio > 0) means[{result.workload.id.substr(0, 1) + " against " + library, m.threads}].add(ratio);
      }
    }
    for (const std::string& note : notes) text += line + ": " + note + "\n";
  }
  if (!means.empty())
    text +=
        "\n| group | threads | geometric mean of the ratios | least | workloads |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& [group, mean] : means) {
    text += "| " + group.first + " | " + std::to_string(group.second) + " | " +
            number_text("%.2f", std::exp(mean.sum_of_logarithms / mean.count)) + " | " +
            number_text("%.2f", mean.least) + " | " + std::to_string(mean.count) + " |\n";
  }
  return text;
}

void write_json(const std::string& path, const std::vector<Result>& results, Roof& roof) {
  std::ofstream file(path);
  benchmark::JSONReporter reporter;
  reporter.SetOutputStream(&file);
  reporter.ReportContext(benchmark::BenchmarkReporter::Context());
  for (const Result& result : results) {
    std::vector<benchmark::BenchmarkReporter::Run> runs;
    for (const Measurement& m : result.measurements) {
      if (!m.wrong.empty()) continue;
      runs.push_back(run_of(result.workload, "convtool", m.threads, m.ours, roof));
      runs.push_back(run_of(result.workload, "convtool with plan", m.threads, m.with_plan, roof));
      for (const PeerTiming& peer : m.peers) {
        runs.push_back(run_of(result.workload, peer.name, m.threads, peer.timing, roof));
      }
    }
    if (!runs.empty()) reporter.ReportRuns(runs);
  }
  reporter.Finalize();
}

}  // namespace convtool
