// The epilogue, from a sum to the stored value, checked with tables computed by hand.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "conv/epilogue.h"
#include "conv/sink.h"
#include "support/convolve.h"
#include "support/values.h"

namespace convtool {
namespace {

struct Result {
  std::vector<double> values;
  ResponseStats stats;
};

/// A kernel with the fields that a sink reads.
Kernel with_bias(const std::vector<float>& bias, const std::vector<double>& divisor = {}) {
  return {.shape = {}, .weights = {}, .bias = bias, .divisor = divisor};
}

/// Finishes one row of sums and stores it as `dtype`. `sums` has combine_count rows, one after another.
template <class Sum = double>
Result finish(const Epilogue& epilogue, const ValueMap& map, const std::vector<float>& bias, DType dtype,
              const std::vector<Sum>& sums) {
  const auto width = static_cast<std::int64_t>(sums.size()) / epilogue.combine_count;
  Tensor output(dtype, {1, 1, 1, width});
  Result result;
  Sink(epilogue, map, with_bias(bias), output.ref())
      .finish({.n = 0, .y = 0, .x = 0, .count = width}, 0, sums.data(), width, result.stats);
  result.values = values_of(output.ref());
  return result;
}

void check_equal(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CAPTURE(got[i]);
    CAPTURE(expected[i]);
    CHECK((got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i]))));
  }
}

TEST_CASE("integers round to nearest, ties to even") {
  const std::vector<double> sums = {0, 0.49, 0.5, 0.51, 1.5, 2.5, 3.5, 4.5, 126.5, 127.5, 253.5, 254.5, -0.25, -0.5};
  const std::vector<double> rounded = {0, 0, 0, 1, 2, 2, 4, 4, 126, 128, 254, 254, 0, 0};
  for (const DType dtype : {DType::u8, DType::u16}) {
    const Result result = finish({}, {}, {0}, dtype, sums);
    check_equal(result.values, rounded);
    CHECK(result.stats.clipped_low == 0);  // -0.5 rounds to 0, which fits
    CHECK(result.stats.clipped_high == 0);
  }
}

TEST_CASE("integers saturate, and clipped values are counted at either end of the range") {
  const Result u8 =
      finish({}, {}, {0}, DType::u8, std::vector<double>{-0.51, -1, -1e30, 255, 255.49, 255.5, 256, 1e30});
  check_equal(u8.values, {0, 0, 0, 255, 255, 255, 255, 255});
  CHECK(u8.stats.clipped_low == 3);
  CHECK(u8.stats.clipped_high == 3);  // 255.5 rounds to 256
  const Result u16 = finish({}, {}, {0}, DType::u16, std::vector<double>{-3, 65534.5, 65535.4, 65535.5, 1e9});
  check_equal(u16.values, {0, 65534, 65535, 65535, 65535});
  CHECK(u16.stats.clipped_low == 1);
  CHECK(u16.stats.clipped_high == 2);
}

TEST_CASE("floats are stored as they are, and never clipped") {
  const Result result = finish({}, {}, {0}, DType::f32, std::vector<double>{-3.25, 1e30, 0.1, kInf, -kInf, kNan});
  check_equal(result.values, {-3.25, static_cast<double>(1e30F), static_cast<double>(0.1F), kInf, -kInf, kNan});
  CHECK(result.stats.clipped_low == 0);
  CHECK(result.stats.clipped_high == 0);
}

TEST_CASE("NaN becomes 0 in integers and is counted; infinities are clipped") {
  for (const DType dtype : {DType::u8, DType::u16, DType::f32}) {
    const Result result = finish({}, {}, {0}, dtype, std::vector<double>{kNan, 3, kInf, -kInf, kNan});
    if (dtype == DType::f32)
      check_equal(result.values, {kNan, 3, kInf, -kInf, kNan});
    else
      check_equal(result.values, {0, 3, full_range(dtype), 0, 0});
    CHECK(result.stats.nan_count == 2);
    CHECK(result.stats.min == -kInf);
    CHECK(result.stats.max == kInf);
    CHECK(result.stats.clipped_low == (dtype == DType::f32 ? 0 : 1));
    CHECK(result.stats.clipped_high == (dtype == DType::f32 ? 0 : 1));
  }
}

TEST_CASE("statistics are of the response: after bias and activation, before the map") {
  const ValueMap map{.shift = 1, .scale = 10, .offset = 3};
  const Result result = finish({.activation = Activation::abs}, map, {2}, DType::u8, std::vector<double>{-5, 0, 1});
  CHECK(result.stats.min == 2);
  CHECK(result.stats.max == 3);
  check_equal(result.values, {23, 13, 23});  // (|sum + 2| - 1) * 10 + 3
}

TEST_CASE("if all responses are NaN, the statistics have min > max") {
  const Result result = finish({}, {}, {0}, DType::f32, std::vector<double>{kNan, kNan});
  CHECK(result.stats.min > result.stats.max);
  CHECK(result.stats.nan_count == 2);
}

TEST_CASE("bias comes before the activation") {
  const std::vector<double> sums = {-3, -1, 0, 1, kNan, -kInf};
  check_equal(finish({}, {}, {0.5F}, DType::f32, sums).values, {-2.5, -0.5, 0.5, 1.5, kNan, -kInf});
  check_equal(finish({.activation = Activation::relu}, {}, {2}, DType::f32, sums).values, {0, 1, 2, 3, kNan, 0});
  check_equal(finish({.activation = Activation::abs}, {}, {2}, DType::f32, sums).values, {1, 1, 2, 3, kNan, kInf});
}

TEST_CASE("every combine, on three rows of sums") {
  // Columns: (3, -4, 12), (-1, -1, 1), (0, 0, 0).
  const std::vector<double> sums = {3, -1, 0, -4, -1, 0, 12, 1, 0};
  const std::vector<float> bias = {0, 0, 0};
  const auto joined = [&](Combine combine) {
    return finish({.combine = combine, .combine_count = 3}, {}, bias, DType::f32, sums).values;
  };
  check_equal(joined(Combine::magnitude), {13, static_cast<double>(std::sqrt(3.0F)), 0});
  check_equal(joined(Combine::l1), {19, 3, 0});
  check_equal(joined(Combine::max), {12, 1, 0});
  check_equal(joined(Combine::min), {-4, -1, 0});
  check_equal(joined(Combine::sum), {11, -1, 0});
  check_equal(joined(Combine::mean), {static_cast<double>(static_cast<float>(11.0 / 3)),
                                      static_cast<double>(static_cast<float>(-1.0 / 3)), 0});
}

TEST_CASE("with one kernel, magnitude and l1 take the absolute value, and other combines change nothing") {
  const std::vector<double> sums = {-3, 2};
  for (const Combine combine : {Combine::magnitude, Combine::l1})
    check_equal(finish({.combine = combine}, {}, {0}, DType::f32, sums).values, {3, 2});
  for (const Combine combine : {Combine::none, Combine::max, Combine::min, Combine::sum, Combine::mean})
    check_equal(finish({.combine = combine}, {}, {0}, DType::f32, sums).values, {-3, 2});
}

TEST_CASE("each kernel of a combine has its own bias and activation") {
  const std::vector<double> sums = {3, -5};  // one column, two kernels
  const std::vector<float> bias = {1, 2};
  const auto joined = [&](Activation activation, Combine combine) {
    return finish({.activation = activation, .combine = combine, .combine_count = 2}, {}, bias, DType::f32, sums)
        .values;
  };
  check_equal(joined(Activation::none, Combine::sum), {1});
  check_equal(joined(Activation::relu, Combine::sum), {4});
  check_equal(joined(Activation::abs, Combine::sum), {7});
  check_equal(joined(Activation::none, Combine::magnitude), {5});
  check_equal(joined(Activation::relu, Combine::min), {0});
}

TEST_CASE("NaN from any one kernel makes every combine NaN") {
  for (const Combine combine :
       {Combine::magnitude, Combine::l1, Combine::max, Combine::min, Combine::sum, Combine::mean}) {
    CAPTURE(std::string(kCombines[static_cast<int>(combine)]));
    for (std::size_t at = 0; at < 3; ++at) {
      std::vector<double> sums = {1, 2, 3};
      sums[at] = kNan;
      const Result result = finish({.combine = combine, .combine_count = 3}, {}, {0, 0, 0}, DType::f32, sums);
      check_equal(result.values, {kNan});
      CHECK(result.stats.nan_count == 1);
    }
  }
}

TEST_CASE("combines of infinities") {
  const std::vector<double> sums = {-kInf, 1};
  const auto joined = [&](Combine combine) {
    return finish({.combine = combine, .combine_count = 2}, {}, {0, 0}, DType::f32, sums).values;
  };
  check_equal(joined(Combine::magnitude), {kInf});
  check_equal(joined(Combine::l1), {kInf});
  check_equal(joined(Combine::max), {1});
  check_equal(joined(Combine::min), {-kInf});
  check_equal(joined(Combine::mean), {-kInf});
}

TEST_CASE("the map takes the absolute value, shifts, scales and offsets, in this order") {
  const std::vector<double> sums = {-6, -2, 0, 4};
  check_equal(finish({}, {.absolute = true, .shift = 1, .scale = 2, .offset = 10}, {0}, DType::f32, sums).values,
              {20, 12, 8, 16});
  check_equal(finish({}, {.absolute = false, .shift = -6, .scale = 25.5, .offset = 0}, {0}, DType::u8, sums).values,
              {0, 102, 153, 255});
}

TEST_CASE("float sums are finished like double sums") {
  const Result result = finish<float>({.activation = Activation::abs}, {}, {0.25F}, DType::f32, {-1.5F, 2.0F});
  check_equal(result.values, {1.25, 2.25});
  // The sum of a float and its bias is not rounded to float, where 2^24 + 0.5 would become 2^24.
  CHECK(finish<float>({}, {.shift = 0x1p24}, {0.5F}, DType::f32, {0x1p24F}).values.at(0) == 0.5);
}

TEST_CASE("rows are stored by the output's strides, and nothing else is written") {
  // 2 items, 2 channels, 2 rows, 3 columns, interleaved with channels in reverse order, inside a block of sentinels.
  const Shape shape{2, 2, 2, 3};
  std::vector<std::uint16_t> block(26, 777);
  const TensorRef output{block.data() + 2, DType::u16, shape, {12, -1, 6, 2}};
  const Kernel bias = with_bias({0, 1000});
  const Epilogue epilogue;
  const ValueMap map;
  const Sink sink(epilogue, map, bias, output);
  CHECK(sink.output_channels() == 2);
  CHECK(sink.combine_count() == 1);
  ResponseStats stats;
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t c = 0; c < 2; ++c)
      for (std::int64_t y = 0; y < 2; ++y) {
        const double first = static_cast<double>(100 * n + 10 * y);
        const double sums[] = {first, first + 1, first + 2};
        sink.finish({.n = n, .y = y, .x = 0, .count = 3}, c, sums, 3, stats);
      }
  CHECK(block.front() == 777);
  CHECK(block.back() == 777);
  for (std::size_t i = 0; i < 24; ++i) {  // memory order: item, row, column, channel 1 before channel 0
    CAPTURE(i);
    const std::size_t expected = 100 * (i / 12) + 10 * (i / 6 % 2) + i / 2 % 3 + (i % 2 == 0 ? 1000 : 0);
    CHECK(block[i + 1] == expected);
  }
  CHECK(stats.min == 0);
  CHECK(stats.max == 1112);
}

TEST_CASE("sums are divided, the bias is added, and the result is rounded once") {
  // 91 / 14 is 6.5, which rounds to the even 6. With 1/14 as a float weight it would become 7.
  Tensor output(DType::u8, {1, 2, 1, 3});
  const Kernel kernel = with_bias({0, 1}, {14, -2});
  const Epilogue epilogue;
  const ValueMap map;
  const Sink sink(epilogue, map, kernel, output.ref());
  ResponseStats stats;
  const double sums[] = {91, 105, -7};
  sink.finish({.n = 0, .y = 0, .x = 0, .count = 3}, 0, sums, 3, stats);
  CHECK(stats.min == -0.5);
  sink.finish({.n = 0, .y = 0, .x = 0, .count = 3}, 1, sums, 3, stats);
  check_equal(values_of(output.ref()), {6, 8, 0, 0, 0, 4});  // of 6.5, 7.5, -0.5 and -44.5, -51.5, 4.5
  CHECK(stats.clipped_low == 2);
  CHECK(stats.max == 7.5);
}

TEST_CASE("responses beyond the range of float become infinite and are counted") {
  Tensor output(DType::f32, {1, 1, 1, 4});
  const Kernel kernel = with_bias({0});
  const Epilogue epilogue;
  const ValueMap map;
  ResponseStats stats;
  const double sums[] = {1e39, -1e39, -1e39, kInf};
  Sink(epilogue, map, kernel, output.ref()).finish({.n = 0, .y = 0, .x = 0, .count = 4}, 0, sums, 4, stats);
  check_equal(values_of(output.ref()), {kInf, -kInf, -kInf, kInf});
  CHECK(stats.clipped_high == 1);  // a response that was infinite before is not counted
  CHECK(stats.clipped_low == 2);
}

TEST_CASE("each combined channel takes its own sums and biases") {
  Tensor output(DType::f32, {1, 2, 1, 2});
  const Epilogue epilogue{.combine = Combine::sum, .combine_count = 2};
  const ValueMap map;
  const Kernel bias = with_bias({1, 10, 100, 1000});
  const Sink sink(epilogue, map, bias, output.ref());
  ResponseStats stats;
  const double sums[] = {1, 2, 3, 4};
  sink.finish({.n = 0, .y = 0, .x = 0, .count = 2}, 0, sums, 2, stats);
  sink.finish({.n = 0, .y = 0, .x = 0, .count = 2}, 1, sums, 2, stats);
  check_equal(values_of(output.ref()), {15, 17, 1104, 1106});
}

TEST_CASE("measuring stores nothing and clips nothing") {
  const Epilogue epilogue{.activation = Activation::abs};
  const ValueMap map{.scale = 100};
  const Kernel bias = with_bias({1});
  const Sink sink(epilogue, map, bias, {.data = nullptr, .dtype = DType::u8, .shape = {1, 1, 1, 4}, .strides = {}});
  ResponseStats stats;
  const double sums[] = {-900, 5, kNan, 0};
  sink.finish({.n = 0, .y = 0, .x = 0, .count = 4}, 0, sums, 4, stats);
  CHECK(stats.min == 1);
  CHECK(stats.max == 899);
  CHECK(stats.nan_count == 1);
  CHECK(stats.clipped_low == 0);
  CHECK(stats.clipped_high == 0);
}

TEST_CASE("merging statistics") {
  ResponseStats all;
  all.merge({.min = 2, .max = 3, .nan_count = 1, .clipped_low = 2, .clipped_high = 3});
  all.merge({});
  all.merge({.min = -1, .max = 2, .nan_count = 10, .clipped_low = 20, .clipped_high = 30});
  CHECK(all.min == -1);
  CHECK(all.max == 3);
  CHECK(all.nan_count == 11);
  CHECK(all.clipped_low == 22);
  CHECK(all.clipped_high == 33);
}

}  // namespace
}  // namespace convtool
