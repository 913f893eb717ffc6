#include "bench/timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace convtool {
namespace {

constexpr int kRounds = 7, kRoundsOfSlow = 3;
constexpr double kSlow = 2;  // seconds

/// Idle threads of OpenMP and TBB spin for tens of milliseconds before they sleep, and would take a core from the next
/// contender.
constexpr std::chrono::milliseconds kPause(10);

/// The time that caches and clocks need to settle, and the scheduler to give each thread its own core.
constexpr double kWarmUp = 0.05;
/// Longer calls need no warm-up call: they settle within their first part.
constexpr double kLongCall = 0.05;

void warm_up(const std::function<void()>& call) {
  const auto begin = std::chrono::steady_clock::now();
  do call();
  while (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < kWarmUp);
}

double seconds_of(const std::function<void()>& call, int times) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / times;
}

/// The quantile `part` of sorted samples.
double quantile(const std::vector<double>& sorted, double part) {
  const double at = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

}  // namespace

Timing summarize(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return {.median = quantile(samples, 0.5),
          .least = samples.front(),
          .lower_quartile = quantile(samples, 0.25),
          .upper_quartile = quantile(samples, 0.75)};
}

std::vector<Timing> time_in_turns(const std::vector<std::function<void()>>& contenders, double min_seconds) {
  std::vector<int> calls;  // in a sample
  int rounds = kRounds;
  for (const auto& contender : contenders) {
    const double seconds = seconds_of(contender, 1);
    if (seconds > kSlow) rounds = kRoundsOfSlow;
    calls.push_back(static_cast<int>(std::clamp(std::ceil(min_seconds / kRounds / seconds), 1.0, 1e6)));
  }
  std::vector<std::vector<double>> samples(contenders.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      std::this_thread::sleep_for(kPause);
      const bool is_long = !samples[i].empty() && samples[i].back() > kLongCall;
      if (!is_long) warm_up(contenders[i]);
      samples[i].push_back(seconds_of(contenders[i], calls[i]));
    }
  }
  std::vector<Timing> timings;
  timings.reserve(samples.size());
  for (const auto& of_one : samples) timings.push_back(summarize(of_one));
  return timings;
}

}  // namespace convtool
