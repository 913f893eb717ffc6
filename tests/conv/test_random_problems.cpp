// Seeded random problems of every kind, every algorithm against `reference`.
// Each case has its own seed, which is printed on failure. To replay one case, or to continue beyond the default cases:
//
//   CONVTOOL_TEST_SEED=1234 CONVTOOL_TEST_CASES=1 test_conv -tc="random problems"
//   CONVTOOL_TEST_SEED=2000 CONVTOOL_TEST_CASES=100000 test_conv -tc="random problems"
#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "support/random_case.h"

namespace convtool {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

TEST_CASE("random problems") {
  const std::uint64_t first = from_environment("CONVTOOL_TEST_SEED", 1000);
  const std::uint64_t count = from_environment("CONVTOOL_TEST_CASES", 600);
  // make_problem() refuses a tenth of the 600 default cases. Of the others a third is u8, a third u16, whose sums may
  // be too large for float; half has stride and dilation 1, where a third of u8 has whole weights for `integer`; a
  // third has one input channel per output, of which a quarter has equal weights for `separable` and, if integer, for
  // `box`; an eighth is depthwise. Replays have no floors.
  const auto floor = [&](std::int64_t cases) { return count == 600 && first == 1000 ? cases : 0; };
  ConvTester tester("random problems", first,
                    {{"direct", floor(530)},
                     {"rows", floor(500)},
                     {"packed", floor(500)},
                     {"depthwise", floor(55)},
                     {"integer", floor(30)},
                     {"separable", floor(30)},
                     {"box", floor(10)},
                     {"fft", floor(100)}});
  std::uint64_t refused = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Random random(seed);
    const std::optional<ConvCase> c = random_case(random, 20);
    if (!c) {
      ++refused;
      continue;
    }
    tester.set_seed(seed);
    tester.check(*c);
  }
  MESSAGE(refused << " of " << count << " random problems were refused by make_problem");
  if (count > 100) CHECK(refused < count / 2);
}

}  // namespace
}  // namespace convtool
