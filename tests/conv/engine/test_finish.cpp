// The epilogue's row functions on every instruction set. Results computed in float must equal those computed in double
// in every bit. test_epilogue.cpp checks the latter against tables computed by hand.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "conv/engine/finish.h"
#include "conv/epilogue.h"
#include "conv/sink.h"
#include "support/convolve.h"
#include "support/instruction_sets.h"
#include "support/random.h"
#include "support/values.h"

namespace convtool {
namespace {

struct Finished {
  std::vector<double> values;
  ResponseStats stats;
};

/// Finishes one span. `sums` has combine_count rows, one after another. The statistics start with `clipped` clipped
/// values, as if other spans had been finished before.
template <class Sum>
Finished finish(const std::vector<Sum>& sums, const Epilogue& epilogue, const ValueMap& map, const Kernel& kernel,
                DType dtype, std::int64_t clipped) {
  const std::int64_t width = static_cast<std::int64_t>(sums.size()) / epilogue.combine_count;
  Tensor output(dtype, {1, 1, 1, width});
  Finished finished;
  finished.stats.clipped_low = clipped;
  Sink(epilogue, map, kernel, output.ref(), true)
      .finish({.n = 0, .y = 0, .x = 0, .count = width}, 0, sums.data(), width, finished.stats);
  finished.values = values_of(output.ref());
  return finished;
}

/// Finishes `sums` as they are and as doubles, and compares the results.
template <class Sum>
void check_against_double(const std::vector<Sum>& sums, const Epilogue& epilogue, const ValueMap& map,
                          const Kernel& kernel, DType dtype) {
  static std::int64_t clipped = 0;  // alternates, since it affects when clipped values are counted
  clipped = (clipped + 1) % 2;
  const Finished got = finish(sums, epilogue, map, kernel, dtype, clipped);
  const Finished expected =
      finish(std::vector<double>(sums.begin(), sums.end()), epilogue, map, kernel, dtype, clipped);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < got.values.size(); ++i) {
    const double a = got.values[i], b = expected.values[i];
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (wrong++ > 0) continue;
    CAPTURE(i);
    CAPTURE(sums[i]);
    CHECK(a == b);
  }
  CHECK(wrong == 0);
  CHECK(got.stats.min == expected.stats.min);
  CHECK(got.stats.max == expected.stats.max);
  CHECK(got.stats.nan_count == expected.stats.nan_count);
  CHECK(got.stats.clipped_low == expected.stats.clipped_low);
  CHECK(got.stats.clipped_high == expected.stats.clipped_high);
}

/// Calls `check(dtype, kernel, map)` for the variants of a plain epilogue, and for some that are not plain.
template <class Check>
void over_epilogues(const Check& check) {
  on_each_set([&] {
    for (const DType dtype : {DType::u8, DType::u16, DType::f32})
      for (const double divisor : {1.0, -1.0, 16.0, 9.0, 273.0, -32767.0, 0.3})
        for (const float bias : {0.0F, 0.25F})
          for (const bool absolute : {false, true}) {
            CAPTURE(std::string(to_string(dtype)));
            CAPTURE(divisor);
            CAPTURE(bias);
            CAPTURE(absolute);
            check(dtype, Kernel{.shape = {}, .weights = {}, .bias = {bias}, .divisor = {divisor}},
                  ValueMap{.absolute = absolute});
          }
  });
}

}  // namespace

TEST_CASE("float sums, including special values") {
  Random random(5);
  std::vector<float> sums = floats(150, [&] { return random.between(-700, 70000); });
  const float special[] = {-0.5F, 0.5F, 1.5F, 2.5F,  254.5F, 255.5F, 65534.5F, 65535.5F,
                           -0.0F, kNan, kInf, -kInf, 3e38F,  -3e38F, 1e-45F};
  const Epilogue kept_ranges[] = {{},
                                  {.activation = Activation::relu},
                                  {.activation = Activation::clip, .numbers = {.min = -20, .max = 6.5F}},
                                  {.activation = Activation::clip, .numbers = {.max = 300}}};
  over_epilogues([&](DType dtype, const Kernel& kernel, const ValueMap& map) {
    for (const Epilogue& epilogue : kept_ranges) check_against_double(sums, epilogue, map, kernel, dtype);
    for (const float one : special) {  // one at a time, since some of them make the whole span use double
      std::vector<float> with_one = sums;
      const auto at = static_cast<std::size_t>(random.between(0, 149));
      with_one[at] = one;
      CAPTURE(one);
      CAPTURE(at);
      check_against_double(with_one, random.pick(kept_ranges), map, kernel, dtype);
    }
  });
}

TEST_CASE("extremes of responses that are all NaN, or all infinite") {
  struct Row {
    float sum;
    double min, max;
    std::int64_t nan_count;
  };
  const double inf = std::numeric_limits<double>::infinity();
  const Row rows[] = {{kNan, inf, -inf, 1}, {kInf, inf, inf, 0}, {-kInf, -inf, -inf, 0}, {7, 7, 7, 0}};
  on_each_set([&] {
    for (const Row& row : rows)
      for (const std::int64_t width : {1, 3, 4, 8, 16, 17, 40})
        for (const DType dtype : {DType::u8, DType::f32}) {
          CAPTURE(row.sum);
          CAPTURE(width);
          const std::vector<float> sums(static_cast<std::size_t>(width), row.sum);
          const Kernel kernel{.shape = {}, .weights = {}, .bias = {0}};
          for (const bool in_double : {false, true}) {
            const ResponseStats stats =
                in_double ? finish(std::vector<double>(sums.begin(), sums.end()), {}, {}, kernel, dtype, 0).stats
                          : finish(sums, {}, {}, kernel, dtype, 0).stats;
            CHECK(stats.min == row.min);
            CHECK(stats.max == row.max);
            CHECK(stats.nan_count == row.nan_count * width);
          }
        }
  });
}

TEST_CASE("numbers of sums around the lengths of vectors") {
  Random random(6);
  on_each_set([&] {
    for (std::int64_t width = 1; width <= 70; ++width) {
      CAPTURE(width);
      const auto low = random.between(-300, 100);
      const std::vector<float> sums = floats(width, [&] { return random.between(low, 400); });
      for (const DType dtype : {DType::u8, DType::u16, DType::f32})
        check_against_double(sums, {}, {}, {.shape = {}, .weights = {}, .bias = {0}}, dtype);
    }
  });
}

TEST_CASE("integer quotients and ties of every divisor round as in double") {
  on_each_set([&] {
    for (std::int64_t divisor = 1; divisor <= 300; ++divisor) {
      CAPTURE(divisor);
      std::vector<std::int32_t> sums;  // around every tie and every integer up to 256
      for (std::int64_t half = -3; half <= 512; ++half)
        for (std::int64_t step = -1; step <= 1; ++step)
          sums.push_back(static_cast<std::int32_t>(half * divisor / 2 + step));
      const Kernel kernel{.shape = {}, .weights = {}, .bias = {0}, .divisor = {static_cast<double>(divisor)}};
      check_against_double(sums, {}, {}, kernel, DType::u8);
    }
  });
}

TEST_CASE("integer sums, including those that float cannot represent") {
  Random random(7);
  for (const std::int64_t most : {300, 70000, (1 << 24) - 1, 1 << 24, 2147483647}) {
    CAPTURE(most);
    std::vector<std::int32_t> sums;
    for (int i = 0; i < 77; ++i) sums.push_back(static_cast<std::int32_t>(random.between(-most, most)));
    sums[40] = static_cast<std::int32_t>(most);
    over_epilogues([&](DType dtype, const Kernel& kernel, const ValueMap& map) {
      check_against_double(sums, {}, map, kernel, dtype);
    });
  }
}

TEST_CASE("magnitudes of integers, including those near ties") {
  Random random(8);
  const Kernel kernel{.shape = {}, .weights = {}, .bias = {0, 0, 0}};
  on_each_set([&] {
    for (const std::int64_t joined : {2, 3})
      for (const std::int64_t most : {100, 255, 1020, 2047, 4000, 100000}) {
        CAPTURE(most);
        // A sum of squares of k^2 + k would have a root next to the tie at k + 1/2. With random numbers many pairs come
        // close to one.
        std::vector<float> sums = floats(joined * 401, [&] { return random.between(-most, most); });
        for (const DType dtype : {DType::u8, DType::u16, DType::f32})
          check_against_double(sums, {.combine = Combine::magnitude, .combine_count = joined}, {}, kernel, dtype);
        sums[17] = kNan;
        check_against_double(sums, {.combine = Combine::magnitude, .combine_count = joined}, {}, kernel, DType::u8);
      }
  });
}

TEST_CASE("every pair whose magnitude is next to a tie") {
  // If a^2 + b^2 = k^2 + k, the root is 1 / (8 k + 4) below k + 1/2.
  std::vector<float> first, second;
  for (std::int64_t k = 1; k < 4096; ++k)
    for (std::int64_t a = 0; a * a <= (k * k + k) / 2; ++a) {
      const auto b = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(k * k + k - a * a))));
      if (a * a + b * b != k * k + k) continue;
      first.push_back(static_cast<float>(a));
      second.push_back(static_cast<float>(b));
    }
  REQUIRE(first.size() > 1000);
  std::vector<float> sums = first;
  sums.insert(sums.end(), second.begin(), second.end());
  on_each_set([&] {
    for (const DType dtype : {DType::u8, DType::u16, DType::f32})
      check_against_double(sums, {.combine = Combine::magnitude, .combine_count = 2}, {},
                           {.shape = {}, .weights = {}, .bias = {0, 0}}, dtype);
  });
}

TEST_CASE("sums in units of a power of two") {
  const std::vector<std::int32_t> sums = {5, 6, 7, 40, -3, 4095};
  const Kernel kernel{.shape = {}, .weights = {}, .bias = {0}, .divisor = {0.5}};
  Tensor output(DType::f32, {1, 1, 1, 6});
  ResponseStats stats;
  Sink({}, {}, kernel, output.ref())
      .in_units(0.125)
      .finish({.n = 0, .y = 0, .x = 0, .count = 6}, 0, sums.data(), 6, stats);
  CHECK(values_of(output.ref()) == std::vector<double>{1.25, 1.5, 1.75, 10, -0.75, 1023.75});
  CHECK(stats.max == 1023.75);
}

TEST_CASE("pixels of many channels are stored like rows") {
  Random random(9);
  const float specials[] = {kNan, kInf, 3.4e38F, 7.0F};
  const double divisors[] = {1.0, 4.0, 0.5};
  on_each_set([&] {
    for (const std::int64_t channels : {1, 3, 4, 15, 16, 17, 40, 70})
      for (const std::int64_t joined : {1, 2})
        for (const DType dtype : {DType::u8, DType::u16, DType::f32})
          for (const bool channels_last : {false, true})
            for (const bool plain : {false, true}) {
              CAPTURE(channels);
              CAPTURE(joined);
              CAPTURE(channels_last);
              const std::int64_t first = 2, all = first + channels + 1, width = 21, x = 3, count = 17;
              const std::int64_t pitch = channels * joined + 5;
              const Activation kept_range[] = {Activation::none, Activation::relu, Activation::clip};
              const Epilogue epilogue{.activation = plain ? random.pick(kept_range) : Activation::relu,
                                      .combine = joined == 1 ? Combine::none : Combine::max,
                                      .combine_count = joined,
                                      .numbers = {.min = -20, .max = 300}};
              const Kernel kernel{.shape = {},
                                  .weights = {},
                                  .bias = floats(all * joined, [&] { return plain ? 0 : random.between(-4, 4); }),
                                  .divisor = std::vector<double>(static_cast<std::size_t>(all * joined),
                                                                 plain ? random.pick(divisors) : 3.0)};
              std::vector<float> sums = floats(count * pitch, [&] { return random.between(-100, 2000); });
              const float special = random.pick(specials);
              sums[static_cast<std::size_t>(random.between(0, count * pitch - 1))] = special;
              Tensor expected(dtype, {1, all, 1, width}), got(dtype, {1, all, 1, width});
              std::memset(expected.ref().data, 7, static_cast<std::size_t>(all * width * size_of(dtype)));
              std::memset(got.ref().data, 7, static_cast<std::size_t>(all * width * size_of(dtype)));
              const auto laid_out = [&](Tensor& tensor) {
                TensorRef ref = tensor.ref();
                if (channels_last) ref.strides = {0, 1, width * all, all};
                return ref;
              };
              const RowSpan span{.n = 0, .y = 0, .x = x, .count = count};
              ResponseStats expected_stats, got_stats;
              const Sink rows(epilogue, {}, kernel, laid_out(expected)), pixels(epilogue, {}, kernel, laid_out(got));
              for (std::int64_t c = 0; c < channels; ++c) {
                std::vector<double> row;
                for (std::int64_t j = 0; j < joined; ++j)
                  for (std::int64_t i = 0; i < count; ++i)
                    row.push_back(static_cast<double>(sums[static_cast<std::size_t>(i * pitch + c * joined + j)]));
                rows.finish(span, first + c, row.data(), count, expected_stats);
              }
              pixels.finish_pixels(span, first * joined, channels * joined, sums.data(), pitch,
                                   pixels.pixel_rows().get(), got_stats);
              const std::vector<double> a = values_of(laid_out(got)), b = values_of(laid_out(expected));
              for (std::size_t i = 0; i < a.size(); ++i)
                CHECK((a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))));
              CHECK(std::memcmp(&got_stats, &expected_stats, sizeof got_stats) == 0);
            }
  });
}

TEST_CASE("a flattened sink sees an interleaved output as one wide channel") {
  std::vector<std::uint8_t> block(2 * 3 * 3, 9);
  const Shape shape{1, 3, 2, 3};
  const TensorRef reversed{block.data() + 2, DType::u8, shape, {18, -1, 9, 3}};
  const Sink sink({}, {}, {.shape = {}, .weights = {}, .bias = {1, 1, 1}}, reversed);
  const std::optional<Sink> flat = sink.flattened(reversed);
  REQUIRE(flat.has_value());
  CHECK(flat->output_channels() == 1);
  const float sums[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  ResponseStats stats;
  flat->finish({.n = 0, .y = 1, .x = 0, .count = 9}, 0, sums, 9, stats);
  CHECK(std::vector<std::uint8_t>(block.begin() + 8, block.end()) ==
        std::vector<std::uint8_t>{9, 1, 2, 3, 4, 5, 6, 7, 8, 9});

  TensorRef forward = reversed;
  forward.data = block.data();
  forward.strides.c = 1;
  CHECK(!sink.flattened(forward).has_value());  // its channels are in the other order
  CHECK(!Sink({}, {}, {.shape = {}, .weights = {}, .bias = {1, 2, 1}}, reversed).flattened(reversed).has_value());
  const Sink nowhere({}, {}, {.shape = {}, .weights = {}, .bias = {0, 0, 0}},
                     {.data = nullptr, .dtype = DType::u8, .shape = shape, .strides = forward.strides});
  CHECK(nowhere.flattened(forward).has_value());
  CHECK(!nowhere.flattened(reversed).has_value());
}

}  // namespace convtool
