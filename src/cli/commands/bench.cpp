// convtool bench: how fast the engine is on this machine, and how close to the limits of the machine.

#include <memory>
#include <set>

#include "bench/roof.h"
#include "bench/timing.h"
#include "bench/workload.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options/option_value.h"
#include "cli/terminal/terminal.h"
#include "conv/plan.h"
#include "core/parallel.h"
#include "report/bench_report.h"

namespace convtool {
namespace {

struct BenchOptions {
  std::string filter, threads = "0", min_time = "0.2";
  bool json = false;
};

constexpr std::string_view kBenchText =
    "Times the engine, one workload per row. The columns are the median time on one thread and on all threads; then, "
    "for all threads, nanoseconds per pixel, multiply-adds per second, and the share of the roof. The roof is the most "
    "that the memory or the f32 arithmetic of this machine allows; it is measured first. Plans are computed before the "
    "timing starts. Multiply-adds are those of the definition; an algorithm that needs fewer can exceed 100 %.\n\n"
    "Groups: I1 to I5 small kernels, S1 separable ones, L1 and L2 large ones, T1 strides and dilations, C1 to C3 "
    "layers of networks.";

constexpr std::string_view kBenchExamples = R"(  convtool bench --filter I1                        one group
  convtool bench --filter "u8x3 3840x2160"          colour pictures of this size
  convtool bench --json --min-time 1 > bench.json)";

/// Times all numbers of threads in turns, so that other work on the machine affects them equally.
BenchLine time_workload(const Workload& workload, const std::vector<int>& threads, double min_seconds, Roof& roof) {
  Tensor input = make_input(workload), output(workload.output_dtype, workload.output_shape());
  const TensorRef from = channels_last(input), to = channels_last(output);
  BenchLine line{.id = workload.id, .name = workload.name};
  std::vector<std::function<void()>> contenders;
  for (const int count : threads) {
    const auto plan = std::make_shared<ConvPlan>(
        workload.problem, workload.kernel, workload.epilogue,
        PlanOptions{.algorithm = "auto", .threads = count, .input_channels_last = true, .output_channels_last = true});
    line.algorithm = plan->algorithm();
    contenders.emplace_back([plan, from, to] { plan->run(from, to); });
  }
  contenders.front()();  // touches the memory
  const std::vector<Timing> timings = time_in_turns(contenders, min_seconds);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    line.timings.push_back({.threads = threads[i],
                            .timing = timings[i],
                            .figures = roof.figures(workload, threads[i], timings[i].median)});
  }
  return line;
}

int run_bench(const BenchOptions& options) {
  const double min_seconds = parse_positive("--min-time", options.min_time);
  const int most = parse_threads("--threads", options.threads);
  const std::set<int> distinct = {1, most == 0 ? available_cores() : most};
  const std::vector<int> threads(distinct.begin(), distinct.end());
  const std::vector<Workload> selected = workloads(options.filter);
  if (selected.empty()) {
    refuse_usage("--filter", "no workload's id and name contain '" + options.filter +
                                 "' (such as I1, or 3x3); run without --filter to see them all");
  }
  Roof roof;
  if (!options.json) print(roof_text(roof, threads) + "\n" + bench_head(threads));
  std::vector<BenchLine> lines;
  for (const Workload& workload : selected) {
    lines.push_back(time_workload(workload, threads, min_seconds, roof));
    if (!options.json) print(to_text(lines.back()));
  }
  if (options.json) print(to_json(lines, roof, threads) + "\n");
  return kExitDone;
}

}  // namespace

void declare_bench(Command& command) {
  auto options = std::make_shared<BenchOptions>();
  command.text = kBenchText;
  command.examples = kBenchExamples;
  command.add("Options", {{.names = "--filter",
                           .value = "TEXT",
                           .target = &options->filter,
                           .brief = "only workloads whose id and name contain TEXT"},
                          {.names = "--threads",
                           .value = "N",
                           .target = &options->threads,
                           .brief = "threads to time in addition to one; 0: one per core"},
                          {.names = "--min-time",
                           .value = "SECONDS",
                           .target = &options->min_time,
                           .brief = "time each workload for at least this long"},
                          {.names = "--json", .target = &options->json, .brief = "report as a JSON object"}});
  command.run = [options] { return run_bench(*options); };
}

}  // namespace convtool
