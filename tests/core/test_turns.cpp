// Threads that pass in the order of their numbers.
#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "core/parallel.h"
#include "core/turns.h"

namespace convtool {

TEST_CASE("threads pass in the order of their numbers, whichever is ready first, also past one that throws") {
  Turns turns;
  std::atomic<std::int64_t> next = 0;
  std::vector<std::int64_t> order;
  constexpr std::int64_t kCount = 300;
  run_threads(4, [&] {
    for (std::int64_t number = ++next; number <= kCount; number = ++next) {
      try {
        OrderedTurn turn(turns, number);
        if (number % 7 == 0) throw std::runtime_error("before its turn");
        turn.await();
        order.push_back(number);  // by one thread at a time
      } catch (const std::runtime_error&) {
      }
    }
  });
  std::vector<std::int64_t> expected;
  for (std::int64_t number = 1; number <= kCount; ++number)
    if (number % 7 != 0) expected.push_back(number);
  CHECK(order == expected);
}

}  // namespace convtool
