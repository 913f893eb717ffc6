#include "bench/roof.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "bench/multiply_adds.h"
#include "conv/plan.h"
#include "core/parallel.h"
#include "core/text.h"

namespace convtool {
namespace {

/// The shortest call among those that fit in a tenth of a second: a roof is the best case.
double least_seconds(const std::function<void()>& call) {
  double least = std::numeric_limits<double>::infinity();
  for (double total = 0; total < 0.1;) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    least = std::min(least, seconds);
    total += seconds;
  }
  return least;
}

}  // namespace

double measure_multiply_adds(int threads) {
  constexpr std::int64_t kSteps = 1 << 20;  // some milliseconds
  std::int64_t done = 0;
  const double seconds = least_seconds([&] {
    parallel_for(threads, threads, [&](std::int64_t begin, std::int64_t) {
      const std::int64_t count = run_multiply_adds(kSteps);
      if (begin == 0) done = count;
    });
  });
  return static_cast<double>(done * threads) / seconds;
}

double measure_copy_rate(std::int64_t bytes, int threads) {
  constexpr std::int64_t kLeastCopied = 64 << 20;  // some milliseconds
  const std::int64_t half = bytes / 2, repeats = std::max<std::int64_t>(1, kLeastCopied / half);
  Tensor from(DType::u8, {.n = 1, .c = 1, .h = 1, .w = half}), to(DType::u8, from.shape());
  // Write both halves first: memory is assigned on first access, which takes longer than copying.
  std::memset(from.data<std::uint8_t>(), 1, static_cast<std::size_t>(half));
  std::memset(to.data<std::uint8_t>(), 1, static_cast<std::size_t>(half));
  const double seconds = least_seconds([&] {
    parallel_for(half, threads, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 0; i < repeats; ++i) {
        std::memcpy(to.data<std::uint8_t>() + begin, from.data<std::uint8_t>() + begin,
                    static_cast<std::size_t>(end - begin));
      }
    });
  });
  return static_cast<double>(2 * half * repeats) / seconds;
}

double Roof::multiply_adds(int threads) {
  const auto found = multiply_adds_.find(threads);
  if (found != multiply_adds_.end()) return found->second;
  return multiply_adds_[threads] = measure_multiply_adds(threads);
}

double Roof::copy_rate(double bytes, int threads) {
  const std::int64_t size = std::int64_t{1} << std::max<std::int64_t>(12, std::llround(std::log2(bytes)));
  const auto found = copy_rates_.find({size, threads});
  if (found != copy_rates_.end()) return found->second;
  return copy_rates_[{size, threads}] = measure_copy_rate(size, threads);
}

Figures Roof::figures(const Workload& workload, int threads, double seconds) {
  const Shape output = workload.output_shape();
  const double macs = mac_count(workload.problem);
  const double by_memory = workload.bytes() / copy_rate(workload.bytes(), threads);
  const double by_arithmetic = macs / multiply_adds(threads);
  return {.ns_per_pixel = seconds * 1e9 / static_cast<double>(output.n * output.h * output.w),
          .gmac_per_second = macs / seconds * 1e-9,
          .share_of_roof = std::max(by_memory, by_arithmetic) / seconds};
}

std::string roof_text(Roof& roof, const std::vector<int>& threads) {
  std::string text(instruction_set_in_use());
  for (const int count : threads) {
    text += "; " + counted(count, "thread") + ": " + short_text(roof.multiply_adds(count) * 1e-9, 3) +
            " GMAC/s, copy " + short_text(roof.copy_rate(kTypicalBytes, count) * 1e-9, 3) + " GB/s";
  }
  return text;
}

}  // namespace convtool
