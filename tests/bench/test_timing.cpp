#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "bench/timing.h"

using namespace convtool;

TEST_CASE("median, extremes and quartiles of short lists") {
  const Timing odd = summarize({5, 1, 4, 2, 3});
  CHECK(odd.median == 3);
  CHECK(odd.least == 1);
  CHECK(odd.lower_quartile == 2);
  CHECK(odd.upper_quartile == 4);
  CHECK(odd.spread() == doctest::Approx(2.0 / 3));
  const Timing even = summarize({1, 2, 3, 10});  // positions 0.75, 1.5 and 2.25 of 0..3
  CHECK(even.lower_quartile == doctest::Approx(1.75));
  CHECK(even.median == doctest::Approx(2.5));
  CHECK(even.upper_quartile == doctest::Approx(4.75));
  const Timing one = summarize({7});
  CHECK(one.median == 7);
  CHECK(one.spread() == 0);
}

TEST_CASE("contenders take turns in seven rounds, and are timed separately") {
  const auto sleeper = [](int milliseconds, std::string& log, char name) {
    return [=, &log] {
      log += name;
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    };
  };
  std::string log;
  const std::vector<Timing> timings = time_in_turns({sleeper(2, log, 'a'), sleeper(6, log, 'b')}, 1e-9);
  REQUIRE(timings.size() == 2);
  // First one call of each, to estimate how long it takes. Then, in each round, calls to warm up and one that is timed.
  // Only the first round warms up for certain: a call that takes long on a loaded machine needs none in the next.
  REQUIRE(log.substr(0, 2) == "ab");
  std::string turns;
  for (std::size_t begin = 2, end = 2; begin < log.size(); begin = end) {
    end = std::min(log.find_first_not_of(log[begin], begin), log.size());
    turns += log[begin];
    if (turns.size() <= 2) CHECK(end - begin >= 2);
  }
  CHECK(turns == "ababababababab");
  CHECK(timings[0].least >= 0.002);
  CHECK(timings[1].least >= 0.006);
}

TEST_CASE("short calls are repeated until they can be timed") {
  int calls = 0;
  const auto spin = [&] {
    ++calls;
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(200);
    while (std::chrono::steady_clock::now() < end) {
    }
  };
  // 50 calls in a sample, or fewer if the first one was interrupted, as happens on a loaded machine.
  for (int tries = 0; calls <= 1 + 7 + 7 * 10; ++tries) {
    REQUIRE(tries < 100);
    calls = 0;
    const Timing timing = time_in_turns({spin}, 0.07).front();
    CHECK(timing.least >= 200e-6);
  }
}
