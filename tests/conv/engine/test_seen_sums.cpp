// Sums that are stored in the output unchanged: their statistics are collected by the inner loops (engine/seen_sums.h).
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "support/conv_cases.h"
#include "support/params.h"

namespace convtool {
namespace {

/// A case of float output without bias: depthwise, or 1 to 33 outputs.
ConvCase make_case_in_place(std::int64_t width, std::int64_t channels, bool depthwise, Random& random) {
  const std::int64_t outputs = depthwise ? channels : random.pick(std::vector<std::int64_t>{1, 2, 16, 32, 33});
  const std::int64_t k = random.between(1, 3);
  Params params{.stride = {random.between(1, 2), random.between(1, 2)},
                .padding = kSame,
                .padding_mode = random.pick(std::vector{PaddingMode::zeros, PaddingMode::replicate}),
                .groups = depthwise ? channels : 1};
  ConvCase c = make_case({DType::f32,
                          {1, channels, random.between(4, 9), width},
                          {outputs, depthwise ? 1 : channels, k, random.between(1, 3)},
                          params,
                          Numbers::exact},
                         random);
  std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 0.0F);
  c.input_layout = c.output_layout = random.pick(std::vector{Layout::planar, Layout::interleaved, Layout::padded_rows});
  return c;
}

/// Widths and numbers of channels that fill whole vectors, and some that do not: 10 widths, 5 numbers of channels,
/// depthwise or not, which makes 100 cases of f32.
template <class Change>
void check_all(const char* name, std::uint64_t seed, const Change& change) {
  ConvTester tester(name, seed, {{"rows", 100}, {"packed", 100}, {"depthwise", 50}});
  Random random(seed);
  for (const std::int64_t width : {4, 15, 16, 20, 31, 32, 33, 48, 64, 80})
    for (const std::int64_t channels : {1, 3, 16, 20, 32})
      for (const bool depthwise : {false, true}) {
        ConvCase c = make_case_in_place(width, channels, depthwise, random);
        change(c, random);
        tester.check(c);
      }
}

TEST_CASE("sums far from 0: no other number enters the extremes") {
  for (const float sign : {1.0F, -1.0F})
    check_all("far from 0", 91, [sign](ConvCase& c, Random& random) {
      c.problem.padding_mode = PaddingMode::replicate;
      for (float& weight : c.kernel.weights) weight = static_cast<float>(random.between(1, 9));
      float* pixels = c.input.data<float>();
      std::generate_n(pixels, c.input.shape().count(),
                      [&] { return sign * static_cast<float>(random.between(100, 200)); });
    });
}

TEST_CASE("blocks of channels that are not full, between others") {
  // With 16 lanes a group of 72 outputs has blocks of 32, 32 and 8, and two blocks make a work item. The last block of
  // 28 and of 46 outputs fills its first vector but not its second, on 16 lanes and on fewer.
  constexpr std::uint64_t kSeed = 94;
  ConvTester tester("overhang", kSeed, {{"packed", 5}});
  Random random(kSeed);
  for (const std::int64_t outputs : {28, 36, 40, 46, 72}) {
    ConvCase c = make_case({DType::f32,
                            {1, 2, 72, 72},
                            {2 * outputs, 1, 3, 3},
                            Params{.padding = kSame, .padding_mode = PaddingMode::replicate, .groups = 2},
                            Numbers::exact},
                           random);
    std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 0.0F);
    for (float& weight : c.kernel.weights) weight = static_cast<float>(random.between(1, 9));
    std::generate_n(c.input.data<float>(), c.input.shape().count(),
                    [&] { return static_cast<float>(random.between(100, 200)); });
    c.input_layout = c.output_layout = Layout::interleaved;
    tester.check(c);
  }
}

TEST_CASE("one sum that is not finite, or all of them") {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()})
    check_all("not finite", 92, [value](ConvCase& c, Random& random) {
      float* pixels = c.input.data<float>();
      const std::int64_t count = c.input.shape().count();
      if (random.chance(4))
        std::fill_n(pixels, count, value);
      else
        pixels[random.between(0, count - 1)] = value;
    });
}

TEST_CASE("sums whose total overflows a float") {
  check_all("large", 93, [](ConvCase& c, Random&) {
    float* pixels = c.input.data<float>();
    for (std::int64_t i = 0; i < c.input.shape().count(); ++i) pixels[i] *= 0x1p110F;
  });
}

}  // namespace
}  // namespace convtool
