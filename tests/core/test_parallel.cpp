// parallel_for and run_threads: every index is processed once, however the range is split; results and exceptions reach
// the caller.
#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/parallel.h"

namespace convtool {
namespace {

constexpr std::int64_t kCounts[] = {0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 31, 64, 100, 1001};
constexpr int kThreads[] = {0, 1, 2, 3, 4, 5, 8, 13};

using Ranges = std::set<std::pair<std::int64_t, std::int64_t>>;

Ranges ranges_of(std::int64_t count, int threads) {
  Ranges ranges;
  std::mutex mutex;
  parallel_for(count, threads, [&](std::int64_t begin, std::int64_t end) {
    std::lock_guard lock(mutex);
    ranges.emplace(begin, end);
  });
  return ranges;
}

TEST_CASE("parallel_for covers every index once") {
  for (const std::int64_t count : kCounts) {
    for (const int threads : kThreads) {
      CAPTURE(count);
      CAPTURE(threads);
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
      parallel_for(count, threads, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      std::int64_t once = 0;
      for (const auto& visit : visits) once += visit == 1 ? 1 : 0;
      CHECK(once == count);
    }
  }
}

TEST_CASE("parallel_for makes one range for each thread, of nearly equal length") {
  for (const std::int64_t count : kCounts) {
    for (const int threads : kThreads) {
      CAPTURE(count);
      CAPTURE(threads);
      const Ranges ranges = ranges_of(count, threads);
      const std::int64_t wanted = std::min<std::int64_t>(count, threads == 0 ? available_cores() : threads);
      CHECK(static_cast<std::int64_t>(ranges.size()) == wanted);
      std::int64_t next = 0;
      for (const auto& [begin, end] : ranges) {
        CHECK(begin == next);
        CHECK(end - begin >= count / wanted);
        CHECK(end - begin <= (count + wanted - 1) / wanted);
        next = end;
      }
      CHECK(next == count);
    }
  }
}

TEST_CASE("with one thread, the body runs on the caller's thread") {
  const std::thread::id here = std::this_thread::get_id();
  std::thread::id seen;
  parallel_for(100, 1, [&](std::int64_t, std::int64_t) { seen = std::this_thread::get_id(); });
  CHECK(seen == here);
}

TEST_CASE("the caller's thread works at the same time as the others") {
  std::set<std::thread::id> ids;
  std::mutex mutex;
  std::atomic<int> inside{0};
  parallel_for(4, 4, [&](std::int64_t, std::int64_t) {
    {
      std::lock_guard lock(mutex);
      ids.insert(std::this_thread::get_id());
    }
    ++inside;
    while (inside < 4) std::this_thread::yield();  // ends only if all four run at the same time
  });
  CHECK(ids.size() == 4);
  CHECK(ids.count(std::this_thread::get_id()) == 1);
}

TEST_CASE("everything that the bodies wrote is visible when parallel_for returns") {
  for (int round = 0; round < 200; ++round) {
    std::vector<std::int64_t> squares(97);
    parallel_for(97, 4, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) squares[static_cast<std::size_t>(i)] = i * i;
    });
    REQUIRE(std::accumulate(squares.begin(), squares.end(), std::int64_t{0}) == 96 * 97 * 193 / 6);
  }
}

TEST_CASE("an exception is rethrown after all bodies that began have ended, and the pool remains usable") {
  for (std::int64_t thrower = 0; thrower < 4; ++thrower) {
    CAPTURE(thrower);
    std::atomic<int> begun{0}, ended{0};
    std::string message;
    try {
      parallel_for(4, 4, [&](std::int64_t begin, std::int64_t) {
        ++begun;
        if (begin == thrower) throw std::runtime_error("part " + std::to_string(begin));
        std::this_thread::yield();
        ++ended;
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    CHECK(message == "part " + std::to_string(thrower));
    CHECK(ended == begun - 1);
  }
  CHECK_THROWS_WITH_AS(parallel_for(9, 3, [](std::int64_t, std::int64_t) { throw std::runtime_error("all"); }), "all",
                       std::runtime_error);
  CHECK(ranges_of(10, 4).size() == 4);
}

TEST_CASE("several callers may use the pool at the same time") {
  std::vector<std::int64_t> sums(3);
  std::vector<std::thread> callers;
  for (std::int64_t& sum : sums) {
    callers.emplace_back([&sum] {
      for (int round = 0; round < 50; ++round) {
        std::atomic<std::int64_t> total{0};
        parallel_for(100, 3, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) total += i;
        });
        sum += total;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const std::int64_t sum : sums) CHECK(sum == 50 * 4950);
}

TEST_CASE("run_threads calls its work once on every thread, which may wait for the others, and rethrows") {
  for (const int threads : {1, 2, 5}) {
    std::atomic<int> running = 0;
    run_threads(threads, [&] {
      ++running;
      while (running < threads) std::this_thread::yield();
    });
    CHECK(running == threads);
  }
  std::atomic<int> ended = 0;
  CHECK_THROWS_WITH_AS(run_threads(3,
                                   [&] {
                                     if (++ended == 2) throw std::runtime_error("second");
                                   }),
                       "second", std::runtime_error);
  CHECK(ended == 3);
}

TEST_CASE("there is at least one core") { CHECK(available_cores() >= 1); }

}  // namespace
}  // namespace convtool
