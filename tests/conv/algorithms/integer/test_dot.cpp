// Dot products on every instruction set of this machine, compared with the same sums in plain loops.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "conv/algorithms/integer/dot.h"
#include "support/instruction_sets.h"
#include "support/random.h"

namespace convtool {
namespace {

constexpr std::int32_t kUntouchedSum = 0x55555555;

struct DotCase {
  std::int64_t inputs, kh, kw, step, width;
  std::int32_t least, most;  ///< the range of weights
  bool extreme;              ///< all pixels are 255, and all weights `least` or `most`
};

/// Runs dot_rows() and compares every sum. The rows end where dot_rows() must stop reading.
void check(const DotCase& c, Random& random) {
  CAPTURE(c.inputs);
  CAPTURE(c.kh);
  CAPTURE(c.kw);
  CAPTURE(c.step);
  CAPTURE(c.width);
  CAPTURE(c.least);
  CAPTURE(c.most);
  CAPTURE(c.extreme);
  std::vector<std::int32_t> weights;
  for (std::int64_t t = 0; t < c.inputs * c.kh * c.kw; ++t) {
    weights.push_back(c.extreme ? (random.chance(2) ? c.least : c.most)
                                : static_cast<std::int32_t>(random.between(c.least, c.most)));
  }
  const DotKernel kernel(weights.data(), c.inputs, c.kh, c.kw);
  const std::int64_t reach = kernel.reach(c.width, c.step), seen = c.kh + kDotRows - 1;
  // Rows are allocated separately, so that the address sanitizer finds reads past their end.
  std::vector<std::unique_ptr<std::uint8_t[]>> memory;
  std::vector<const std::uint8_t*> rows;
  for (std::int64_t row = 0; row < c.inputs * seen; ++row) {
    memory.push_back(std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(reach)));
    for (std::int64_t x = 0; x < reach; ++x)
      memory.back()[static_cast<std::size_t>(x)] =
          c.extreme ? std::uint8_t{255} : static_cast<std::uint8_t>(random.between(0, 255));
    rows.push_back(memory.back().get());
  }

  const std::int64_t made = (c.width + kDotColumns - 1) / kDotColumns * kDotColumns, pitch = made + 3;
  std::vector<std::int32_t> sums(static_cast<std::size_t>(kDotRows * pitch), kUntouchedSum);
  dot_rows(kernel, c.step, rows.data(), c.width, sums.data(), pitch);

  std::int64_t wrong = 0;
  for (std::int64_t row = 0; row < kDotRows; ++row)
    for (std::int64_t x = 0; x < pitch; ++x) {
      if (x >= c.width && x < made) continue;  // unspecified
      std::int64_t expected = x < c.width ? 0 : kUntouchedSum;
      for (std::int64_t t = 0; x < c.width && t < c.inputs * c.kh * c.kw; ++t) {
        const std::int64_t input = t / (c.kh * c.kw), u = t / c.kw % c.kh, v = t % c.kw;
        expected += weights[static_cast<std::size_t>(t)] *
                    std::int64_t{rows[static_cast<std::size_t>(input * seen + row + u)][x + v * c.step]};
      }
      wrong += sums[static_cast<std::size_t>(row * pitch + x)] != expected;
    }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("dot products for many heights and widths of kernels, and every step") {
  Random random(71);
  on_each_set([&] {
    for (const std::int64_t kh : {1, 2, 3, 4, 5, 6, 7, 8, 9, 17})
      for (const std::int64_t kw : {1, 2, 3, 4, 5, 7, 8, 9, 33})
        for (std::int64_t step = 1; step <= kMostDotStep; ++step) {
          const std::int64_t inputs = random.between(1, 2);
          check({inputs, kh, kw, step, 37, -128, 127, false}, random);
          check({inputs, kh, kw, step, 37, -1000, 1000, false}, random);
        }
  });
}

TEST_CASE("dot products at every width of row") {
  Random random(72);
  on_each_set([&] {
    for (std::int64_t width = 1; width <= 100; ++width) {
      check({1, 3, 3, 1, width, -8, 8, false}, random);
      check({3, 2, 5, 3, width, -300, 300, false}, random);
    }
  });
}

TEST_CASE("the largest weights that each lane type accepts, with the brightest pixels") {
  Random random(73);
  on_each_set([&] {
    for (const auto& [least, most] : {std::pair{-128, 127},
                                      {-129, 127},
                                      {-128, 128},
                                      {127, 127},
                                      {-32768, 32767},
                                      {-32768, -32768},
                                      {32767, 32767},
                                      {0, 255},
                                      {0, 256}}) {
      for (const std::int64_t side : {1, 2, 3, 8, 15}) check({1, side, side, 1, 40, least, most, true}, random);
    }
    check({1, 257, 1, 1, 40, 32767, 32767, true}, random);  // 255 * 257 * 32767 = 2^31 - 98303 is the most
    check({1, 257, 1, 1, 40, -32767, -32767, true}, random);
  });
}

TEST_CASE("four taps are combined where VNNI takes bytes, and two otherwise") {
  const std::int32_t bytes[] = {-128, 127}, low[] = {-129, 0}, high[] = {0, 128};
  on_each_set([&] {
    CHECK(dot_taps(bytes, 2) == (instruction_set() == kAvx3Vnni ? 4 : 2));
    CHECK(dot_taps(low, 2) == 2);
    CHECK(dot_taps(high, 2) == 2);
  });
}

}  // namespace convtool
