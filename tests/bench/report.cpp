#include "report.h"

#include <benchmark/benchmark.h>

#include <algorithm>
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

/// A table cell for each number of threads.
template <class Text>
std::string cells(const Result& result, Text&& text) {
  std::string row;
  for (const Measurement& m : result.measurements) row += " " + (m.wrong.empty() ? text(m) : "wrong") + " |";
  return row;
}

/// If the quartiles are further apart than this fraction of the median, other programs ran on the same cores. They do
/// not slow all contenders equally: a contender that waits for both threads in every call loses the most.
constexpr double kBusy = 0.3;

bool was_busy(const Measurement& m) {
  return m.ours.spread() > kBusy || std::any_of(m.peers.begin(), m.peers.end(),
                                                [](const PeerTiming& peer) { return peer.timing.spread() > kBusy; });
}

/// The name of the fastest peer. If it differs between numbers of threads, the names of all of them.
std::string best_peers(const Result& result) {
  std::string text;
  const PeerTiming* last = nullptr;
  for (const Measurement& m : result.measurements) {
    const PeerTiming* best = m.best_peer();
    if (best == nullptr || (last != nullptr && last->name == best->name)) continue;
    text += (text.empty() ? "" : ", ") + best->name;
    last = best;
  }
  return text.empty() ? "-" : text;
}

/// The best time of the peers whose name begins with `library`, over ours; 0 if there is none, or our result is wrong.
double ratio_to(const Measurement& m, const std::string& library) {
  double best = 0;
  for (const PeerTiming& peer : m.peers) {
    if (peer.name.starts_with(library) && (best == 0 || peer.timing.median < best)) best = peer.timing.median;
  }
  return m.ours.median > 0 ? best / m.ours.median : 0;
}

/// The mean ratio of one group of workloads to one library.
struct Mean {
  double sum_of_logarithms = 0, least = 0;
  int count = 0;

  void add(double ratio) {
    sum_of_logarithms += std::log(ratio);
    least = count == 0 ? ratio : std::min(least, ratio);
    ++count;
  }
};

/// Means by "GROUP against LIBRARY" and number of threads.
using Means = std::map<std::pair<std::string, int>, Mean>;

std::string means_table(const Means& means) {
  std::string text =
      "| group | threads | geometric mean of the ratios | least | workloads |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& [group, mean] : means) {
    text += "| " + group.first + " | " + std::to_string(group.second) + " | " +
            number_text("%.2f", std::exp(mean.sum_of_logarithms / mean.count)) + " | " +
            number_text("%.2f", mean.least) + " | " + std::to_string(mean.count) + " |\n";
  }
  return text;
}

benchmark::BenchmarkReporter::Run run_of(const Workload& workload, const std::string& contender, int threads,
                                         const Timing& timing, Roof& roof) {
  const Figures figures = roof.figures(workload, threads, timing.median);
  benchmark::BenchmarkReporter::Run run;
  run.run_name.function_name = workload.id + " " + workload.name + "/" + contender;
  run.run_name.threads = "threads:" + std::to_string(threads);
  run.family_index = run.per_family_instance_index = 0;
  run.repetition_index = 0;
  run.repetitions = 1;
  run.threads = threads;
  run.iterations = 1;
  run.time_unit = benchmark::kMillisecond;
  run.real_accumulated_time = run.cpu_accumulated_time = timing.median;  // only wall-clock time is measured
  run.counters = {{"least_ms", timing.least * 1e3},
                  {"lower_quartile_ms", timing.lower_quartile * 1e3},
                  {"upper_quartile_ms", timing.upper_quartile * 1e3},
                  {"ns_per_pixel", figures.ns_per_pixel},
                  {"gmac_per_second", figures.gmac_per_second},
                  {"share_of_roof", figures.share_of_roof}};
  return run;
}

}  // namespace

std::string table_head(const std::vector<int>& threads) {
  std::string head = "| id | workload | algorithm |", rule = "| --- | --- | --- |";
  const auto add = [&](const std::string& column) {
    head += " " + column + " |";
    rule += " --- |";
  };
  const auto add_for_each = [&](const std::string& column) {
    for (const int count : threads) add(column + ", " + std::to_string(count) + "T");
  };
  add_for_each("ms");
  add_for_each("with plan");
  add("best peer");
  for (const char* column : {"its ms", "ratio", "of roof"}) add_for_each(column);
  return head + "\n" + rule + "\n";
}

std::string table_row(const Result& result, Roof& roof) {
  const auto of_peer = [](const Measurement& m, const auto& text) {
    return m.best_peer() == nullptr ? std::string("-") : text(*m.best_peer());
  };
  std::string row =
      "| " + result.workload.id + " | " + result.workload.name + " | " + result.measurements.back().algorithm + " |";
  row += cells(result, [](const Measurement& m) { return milliseconds(m.ours); });
  row += cells(result, [](const Measurement& m) { return milliseconds(m.with_plan); });
  row += " " + best_peers(result) + " |";
  row += cells(result, [&](const Measurement& m) {
    return of_peer(m, [](const PeerTiming& p) { return milliseconds(p.timing); });
  });
  row += cells(result, [&](const Measurement& m) {
    return of_peer(m, [&](const PeerTiming& p) { return number_text("%.2f", p.timing.median / m.ours.median); });
  });
  row += cells(result, [&](const Measurement& m) {
    return number_text("%.0f", roof.figures(result.workload, m.threads, m.ours.median).share_of_roof * 100) + " %";
  });
  return row + "\n";
}

std::string summary(const std::vector<Result>& results) {
  std::string text;
  Means means;
  for (const Result& result : results) {
    const std::string& id = result.workload.id;
    std::set<std::string> notes;  // most notes are the same for every number of threads
    for (const Measurement& m : result.measurements) {
      notes.insert(m.notes.begin(), m.notes.end());
      if (!m.wrong.empty()) {
        notes.insert("WRONG with " + m.algorithm + ": " + m.wrong);
      } else if (was_busy(m)) {
        notes.insert("the machine was busy, run it again");
      }
      for (const std::string library : {"OpenCV", "oneDNN", "libvips", "FFTW", ""}) {
        const double ratio = ratio_to(m, library);
        if (ratio == 0) continue;
        for (const std::string& group : {id.substr(0, 1), id}) {
          means[{group + " against " + (library.empty() ? "the best" : library), m.threads}].add(ratio);
        }
      }
    }
    for (const std::string& note : notes) text += id + " " + result.workload.name + ": " + note + "\n";
  }
  return results.size() == 1 || means.empty() ? text : text + "\n" + means_table(means);
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
        runs.back().counters["difference_to_convtool"] = peer.difference;
      }
    }
    if (!runs.empty()) reporter.ReportRuns(runs);
  }
  reporter.Finalize();
}

}  // namespace convtool
