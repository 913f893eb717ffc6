// bench_learn: compares the times of a layer, of the gradient with respect to its weights, and of the sums that least
// squares needs.
//
//   cmake --preset bench && cmake --build --preset bench
//   build/bench/bench_learn [TEXT]
//
// Workloads are those of `convtool bench` whose "ID NAME" contains TEXT. The layer runs on channels-last pixels, where
// it is fastest; the other two run on planes, as in learning. They take turns, on one thread and then on two. Figures
// are 10^9 multiply-adds per second by each computation's definition. Least squares counts half of its symmetric
// matrix.

#include <cstdio>

#include "bench/timing.h"
#include "bench/workload.h"
#include "conv/gradients/tap_products.h"
#include "conv/gradients/weight_gradient.h"
#include "conv/plan.h"

namespace {

using namespace convtool;

void measure(const Workload& workload, int threads) {
  const ConvProblem& problem = workload.problem;
  Tensor input = make_input(workload), output(workload.output_dtype, workload.output_shape());
  Tensor dy(DType::f32, convtool::output_shape(problem));
  std::fill_n(dy.data<float>(), dy.shape().count(), 0.5F);
  const ConstTensorRef planes = std::as_const(input).ref();
  const TensorRef from = channels_last(input), to = channels_last(output);
  const ConvPlan plan(
      problem, workload.kernel, workload.epilogue,
      {.algorithm = "auto", .threads = threads, .input_channels_last = true, .output_channels_last = true});
  const double taps = static_cast<double>(problem.kernel.taps());
  const double macs = mac_count(problem), of_squares = macs + macs / static_cast<double>(problem.kernel.c_o) *
                                                                  static_cast<double>(problem.groups) * taps / 2;
  std::vector<std::function<void()>> contenders = {[&] { plan.run(from, to); },
                                                   [&] { weight_gradient(problem, planes, dy.ref(), threads); }};
  if (taps <= 1000) contenders.emplace_back([&] { tap_products(problem, planes, dy.ref(), threads); });
  for (const auto& contender : contenders) contender();
  const std::vector<Timing> timings = time_in_turns(contenders, 0.1);
  const auto rate = [&](std::size_t i, double count) { return count / timings[i].median / 1e9; };
  std::printf("%-60s %d  %-10s layer %6.1f  gradient %6.1f (%3.0f %%)", workload.name.c_str(), threads,
              std::string(plan.algorithm()).c_str(), rate(0, macs), rate(1, macs),
              100 * timings[0].median / timings[1].median);
  if (timings.size() > 2) std::printf("  least squares %6.1f, %.1f ms", rate(2, of_squares), timings[2].median * 1e3);
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  for (const Workload& workload : workloads(argc > 1 ? argv[1] : "f32"))
    if (workload.epilogue.combine_count == 1)
      for (const int threads : {1, 2}) measure(workload, threads);
}
