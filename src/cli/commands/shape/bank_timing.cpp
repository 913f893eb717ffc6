#include "cli/commands/shape/bank_timing.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/timing.h"
#include "bench/workload.h"
#include "cli/batch/memory/machine_memory.h"
#include "core/text.h"
#include "network/bank_plan.h"
#include "network/residual.h"

namespace convtool {
namespace {

double bytes_of(const Shape& shape, DType dtype) {
  return static_cast<double>(shape.n) * static_cast<double>(shape.c) * static_cast<double>(shape.h) *
         static_cast<double>(shape.w) * static_cast<double>(size_of(dtype));
}

/// The number of weights that a plan stores for all kernels: those of rank 2 once per channel.
double weight_bytes(const Bank& bank, const Shape& input) {
  double bytes = 0;
  for (const Layer& layer : bank.layers) {
    const KernelShape& k = layer.shape;
    bytes += static_cast<double>(layer.rank == 2 ? input.c : k.c_o) * static_cast<double>(k.c_i_per_group) *
             static_cast<double>(k.kh) * static_cast<double>(k.kw) * static_cast<double>(size_of(DType::f32));
  }
  return bytes;
}

}  // namespace

void check_timeable_together(std::size_t banks, double macs) {
  constexpr double kMostMacs = 4e12;
  constexpr std::size_t kMostBanks = 200;  // of half a second each
  if (macs > kMostMacs || banks > kMostBanks)
    throw Error(ErrorKind::memory, "--time",
                std::to_string(banks) + " layers with " + to_text(macs) +
                    " multiply-adds in all take minutes or more (at most " + std::to_string(kMostBanks) +
                    " layers, and " + to_text(kMostMacs) + "); time fewer");
}

void check_timeable(const Bank& bank, const BankShape& shape) {
  constexpr double kWeightCopies = 3;  // the layer's, the kernel's, and those that an algorithm prepares
  const double bytes = bytes_of(shape.problem.input, shape.problem.input_dtype) + bytes_of(shape.output, DType::f32) +
                       kWeightCopies * weight_bytes(bank, shape.problem.input);
  const auto most = static_cast<double>(default_memory_limit());
  if (!(bytes <= most)) {
    throw Error(ErrorKind::memory, "--time",
                "a layer on " + to_string(shape.problem.input) + " takes " + to_text(std::ceil(bytes * 0x1p-20)) +
                    " MiB to run (at most " + to_text(std::floor(most * 0x1p-20)) + "); time a smaller shape");
  }
  constexpr double kMostMacs = 1e12;  // tens of seconds, several times over
  if (shape.macs > kMostMacs) {
    throw Error(ErrorKind::memory, "--time",
                "a layer on " + to_string(shape.problem.input) + " has " + to_text(shape.macs) +
                    " multiply-adds, which take minutes or more (at most " + to_text(kMostMacs) +
                    "); time a smaller shape");
  }
}

BankTiming time_bank(Bank bank, const BankShape& shape, int threads) {
  check_timeable(bank, shape);
  for (Layer& layer : bank.layers) {
    if (layer.outline == Outline::none) continue;
    const KernelShape& k = layer.shape;
    const Tensor noise = make_noise(DType::f32, {k.c_o, k.c_i_per_group, k.kh, k.kw});
    layer.weights.assign(noise.data<float>(), noise.data<float>() + k.count());
  }
  Tensor input = make_noise(shape.problem.input_dtype, shape.problem.input);
  const BankPlan plan(bank, input.dtype(), input.shape(), false, {.threads = threads});
  Tensor output(DType::f32, plan.output_shape()), addend;
  if (!bank.layers.front().add.empty()) {
    addend = Tensor(DType::f32, input.shape());
    std::fill_n(addend.data<float>(), addend.shape().count(), 0.0F);  // the sums stay as they are
  }
  constexpr double kMinSeconds = 0.1;
  const auto run = [&] {
    if (!bank.layers.front().add.empty()) add(input.ref(), std::as_const(addend).ref(), input.ref(), threads);
    plan.run(std::as_const(input).ref(), output.ref(), {});
  };
  const Timing timing = time_in_turns({run}, kMinSeconds).front();
  return {.seconds = timing.median, .algorithm = plan.algorithm()};
}

}  // namespace convtool
