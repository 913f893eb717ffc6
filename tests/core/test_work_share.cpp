// WorkShare and share_work: every item is taken once, however shares are split; idle threads finish for slow ones.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/parallel.h"

namespace convtool {
namespace {

std::vector<std::int64_t> items_of(WorkShare& share, std::int64_t most) {
  std::vector<std::int64_t> items;
  for (Range taken; !(taken = share.take(most)).is_empty();) {
    CHECK(taken.size() <= most);
    for (std::int64_t i = taken.begin; i < taken.end; ++i) items.push_back(i);
  }
  return items;
}

std::vector<std::int64_t> from_to(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> items;
  for (std::int64_t i = begin; i < end; ++i) items.push_back(i);
  return items;
}

TEST_CASE("a share gives its items in order, and its back half to another thread") {
  constexpr std::int64_t kFirst = std::int64_t{5} << 40;  // items may lie beyond 32 bits
  for (const std::int64_t count : {0, 1, 2, 3, 10, 11}) {
    for (const std::int64_t most : {1, 4, 100}) {
      CAPTURE(count);
      CAPTURE(most);
      WorkShare share;
      share.begin({&share, 1}, kFirst, {kFirst, kFirst + count});
      CHECK(share.left() == count);
      const Range stolen = share.steal();
      CHECK(stolen.size() == (count + 1) / 2);
      CHECK((stolen.is_empty() || stolen.end == kFirst + count));
      CHECK(items_of(share, most) == from_to(kFirst, kFirst + count / 2));
      CHECK(share.left() == 0);
      CHECK(share.steal().is_empty());
    }
  }
}

TEST_CASE("one thread that takes and others that steal get every item once") {
  constexpr std::int64_t kItems = 20000;
  WorkShare share;
  share.begin({&share, 1}, 0, {0, kItems});
  std::vector<std::atomic<int>> visits(kItems);
  std::atomic<bool> first = true;
  run_threads(3, [&] {
    if (first.exchange(false)) {
      for (Range taken; !(taken = share.take(2)).is_empty();)
        for (std::int64_t i = taken.begin; i < taken.end; ++i) ++visits[static_cast<std::size_t>(i)];
      return;
    }
    while (share.left() > 0) {
      const Range stolen = share.steal();
      for (std::int64_t i = stolen.begin; i < stolen.end; ++i) ++visits[static_cast<std::size_t>(i)];
      std::this_thread::yield();
    }
  });
  CHECK(std::all_of(visits.begin(), visits.end(), [](const auto& count) { return count == 1; }));
}

TEST_CASE("share_work covers every item once") {
  for (const std::int64_t count : {0, 1, 2, 3, 7, 64, 1001}) {
    for (const int threads : {0, 1, 2, 3, 8}) {
      CAPTURE(count);
      CAPTURE(threads);
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
      share_work(count, threads, [&](WorkShare& share) {
        for (Range item; !(item = share.take()).is_empty();) ++visits[static_cast<std::size_t>(item.begin)];
      });
      CHECK(std::all_of(visits.begin(), visits.end(), [](const auto& visited) { return visited == 1; }));
    }
  }
}

TEST_CASE("with one thread, all items are one share of the caller's thread") {
  int shares = 0;
  share_work(100, 1, [&](WorkShare& share) {
    ++shares;
    CHECK(items_of(share, 7) == from_to(0, 100));
  });
  CHECK(shares == 1);
}

TEST_CASE("idle threads take over what a slow thread has not begun") {
  // The thread that takes item 0 waits until all other items are done: without stealing, it would wait forever.
  constexpr std::int64_t kItems = 50;
  std::atomic<std::int64_t> done = 0;
  share_work(kItems, 2, [&](WorkShare& share) {
    for (Range item; !(item = share.take()).is_empty();) {
      while (item.begin == 0 && done < kItems - 1) std::this_thread::yield();
      ++done;
    }
  });
  CHECK(done == kItems);
}

TEST_CASE("threads that are busy elsewhere are not waited for") {
  // Every worker of the pool waits for `go_on`, so the caller does all the work, alone. There are more workers than
  // other tests have started.
  constexpr int kAll = 40;
  std::atomic<int> waiting = 0;
  std::atomic<bool> go_on = false;
  std::thread other([&] {
    parallel_for(kAll, kAll, [&](std::int64_t, std::int64_t) {
      ++waiting;
      while (!go_on) std::this_thread::yield();
    });
  });
  while (waiting < kAll) std::this_thread::yield();
  const std::thread::id here = std::this_thread::get_id();
  std::atomic<int> by_caller = 0, by_others = 0;
  share_work(20, 4, [&](WorkShare& share) {
    std::atomic<int>& count = std::this_thread::get_id() == here ? by_caller : by_others;
    while (!share.take().is_empty()) ++count;
  });
  CHECK(by_caller == 20);
  parallel_for(20, 4, [&](std::int64_t begin, std::int64_t end) {
    (std::this_thread::get_id() == here ? by_caller : by_others) += static_cast<int>(end - begin);
  });
  CHECK(by_caller == 40);
  CHECK(by_others == 0);
  go_on = true;
  other.join();
}

TEST_CASE("share_work rethrows once all threads have ended") {
  for (const int threads : {1, 4}) {
    std::atomic<int> inside = 0;
    std::string message;
    try {
      share_work(8, threads, [&](WorkShare& share) {
        ++inside;
        for (Range item = share.take(); !item.is_empty(); item = share.take()) {
          if (item.begin == 0) {  // in any thread: another one may have stolen it
            --inside;
            throw std::runtime_error("item 0");
          }
          std::this_thread::yield();
        }
        --inside;
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    CHECK(message == "item 0");
    CHECK(inside == 0);
  }
}

}  // namespace
}  // namespace convtool
