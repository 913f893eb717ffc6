// u8 and u16 pictures with integer weights: every algorithm must agree with sums of 64-bit integers, however large they
// are.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "conv/plan.h"
#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/params.h"

namespace convtool {
namespace {

/// The responses of a convolution without padding, in integers, computed without the engine.
std::vector<std::int64_t> integer_responses(const std::vector<double>& x, const Shape& in, const Kernel& kernel,
                                            std::int64_t stride) {
  const KernelShape& k = kernel.shape;
  std::vector<std::int64_t> sums;
  for (std::int64_t o = 0; o < k.c_o; ++o)
    for (std::int64_t top = 0; top + k.kh <= in.h; top += stride)
      for (std::int64_t left = 0; left + k.kw <= in.w; left += stride) {
        auto sum = static_cast<std::int64_t>(kernel.bias[static_cast<std::size_t>(o)]);
        std::size_t w = static_cast<std::size_t>(o * k.taps());
        for (std::int64_t c = 0; c < in.c; ++c)
          for (std::int64_t y = top; y < top + k.kh; ++y)
            for (std::int64_t z = left; z < left + k.kw; ++z)
              sum += static_cast<std::int64_t>(kernel.weights[w++]) *
                     static_cast<std::int64_t>(x[static_cast<std::size_t>((c * in.h + y) * in.w + z)]);
        sums.push_back(sum);
      }
  return sums;
}

/// sum / 2^bits to nearest, ties to even, within [0, 65535]: the u16 output of a map with a scale of 2^-bits.
std::int64_t shifted(std::int64_t sum, int bits) {
  const std::int64_t unit = std::int64_t{1} << bits;
  std::int64_t quotient = sum >> bits;  // towards minus infinity
  const std::int64_t twice_rest = 2 * (sum - quotient * unit);
  if (twice_rest > unit || (twice_rest == unit && quotient % 2 != 0)) ++quotient;
  return std::clamp<std::int64_t>(quotient, 0, 65535);
}

/// Algorithm -> cases that it solved.
using Solved = std::map<std::string, int>;

void check_case(DType dtype, const Shape& shape, const KernelShape& k, std::int64_t largest_weight, std::int64_t stride,
                bool extreme_pixels, std::uint64_t seed, Solved& solved) {
  CAPTURE(std::string(to_string(dtype)));
  CAPTURE(to_string(shape));
  CAPTURE(largest_weight);
  CAPTURE(stride);
  CAPTURE(seed);
  Random random(seed);
  const auto top = static_cast<std::int64_t>(full_range(dtype));
  const Tensor input = filled(
      dtype, shape, [&] { return extreme_pixels ? (random.chance(8) ? top - 1 : top) : random.between(0, top); });
  Kernel kernel = kernel_of(k, floats(k.count(), [&] {
                              return extreme_pixels ? largest_weight - random.between(0, 1)
                                                    : random.between(-largest_weight, largest_weight);
                            }));
  for (float& bias : kernel.bias) bias = static_cast<float>(random.between(-1000, 1000));
  const std::vector<std::int64_t> expected = integer_responses(values_of(input.ref()), shape, kernel, stride);

  std::int64_t largest = 1;
  for (const std::int64_t sum : expected) largest = std::max(largest, std::abs(sum));
  REQUIRE(largest < std::int64_t{1} << 53);
  int bits = 0;
  while (largest >> bits > 65535) ++bits;

  const ConvProblem problem = make_problem(dtype, shape, k, Params{.stride = {stride, stride}});
  for (const std::string_view algorithm : algorithm_names()) {
    CAPTURE(std::string(algorithm));
    if (!applies(algorithm, problem, kernel)) continue;
    const ConvPlan plan(problem, kernel, {}, {.algorithm = std::string(algorithm)});
    Tensor floats_out(DType::f32, plan.output_shape()), integers_out(DType::u16, plan.output_shape());
    const ResponseStats stats = plan.run(input.ref(), floats_out.ref());
    plan.run(input.ref(), integers_out.ref(), {.scale = std::ldexp(1.0, -bits)});
    REQUIRE(static_cast<std::size_t>(floats_out.shape().count()) == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // One rounding, from the exact integer to float.
      if (floats_out.data<float>()[i] == static_cast<float>(expected[i]) &&
          integers_out.data<std::uint16_t>()[i] == shifted(expected[i], bits))
        continue;
      CAPTURE(i);
      CAPTURE(expected[i]);
      CHECK(floats_out.data<float>()[i] == static_cast<float>(expected[i]));
      CHECK(integers_out.data<std::uint16_t>()[i] == shifted(expected[i], bits));
    }
    const auto [low, high] = std::minmax_element(expected.begin(), expected.end());
    CHECK(stats.min == static_cast<double>(*low));
    CHECK(stats.max == static_cast<double>(*high));
    ++solved[std::string(algorithm)];
  }
}

TEST_CASE("sums of any size are those of 64-bit integers") {
  std::uint64_t seed = 21;
  Solved solved;
  for (const DType dtype : {DType::u8, DType::u16})
    for (const std::int64_t weight : {1, 3, 127, 128, 255, 1000, 32767, 32768, 65536, 1 << 20, (1 << 24) - 1})
      for (const bool extreme : {false, true})
        for (const std::int64_t stride : {1, 2}) {
          check_case(dtype, {1, 1, 9, 37}, {1, 1, 3, 3}, weight, stride, extreme, seed++, solved);
          check_case(dtype, {1, 3, 8, 21}, {2, 3, 5, 7}, weight, stride, extreme, seed++, solved);
          check_case(dtype, {1, 1, 3, 70}, {1, 1, 1, 2}, weight, stride, extreme, seed++, solved);
        }
  // 264 cases. At stride 1 `integer` takes the 7 weights of 16 bits on u8. Float sums suffice for weights up to 1000 on
  // u8 with 2 or 9 taps, and for 1 and 3 on u16.
  CHECK(solved["direct"] == 264);
  CHECK(solved["integer"] >= 7 * 2 * 3);
  for (const char* algorithm : {"rows", "packed"}) {
    CAPTURE(algorithm);
    CHECK(solved[algorithm] >= (6 + 2) * 2 * 2 * 2);
  }
}

TEST_CASE("u8 sums on either side of 2^24, where float stops holding every integer") {
  // 255 * 65793 = 2^24 - 1, and 255 * 65794 = 2^24 + 254.
  Solved solved;
  for (const std::int64_t weight : {65792, 65793, 65794, 65795, 2 * 65793, 2 * 65794})
    for (const bool extreme : {false, true})
      check_case(DType::u8, {1, 1, 4, 40}, {1, 1, 1, 1}, weight, 1, extreme, 31, solved);
  for (const std::int64_t weight : {7309, 7310, 7311, 7312})  // 9 * 7310 = 65790, 9 * 7311 = 65799
    for (const bool extreme : {false, true})
      check_case(DType::u8, {1, 1, 6, 40}, {1, 1, 3, 3}, weight, 1, extreme, 41, solved);
  // Float sums suffice for 65792 and 65793, and for 7309 and 7310; random weights may be smaller than the largest.
  for (const char* algorithm : {"rows", "packed", "depthwise"}) {
    CAPTURE(algorithm);
    CHECK(solved[algorithm] >= 8);
  }
}

TEST_CASE("u8 with a padding value that takes the sums past 2^24") {
  // Nine taps of weight 1: sums far below 2^24 inside, beyond it at the border. 2^24 + 2 is a float, 2^24 + 3 is not,
  // so the sum of the corner's 5 outside and 4 inside taps must not be computed in float.
  const Tensor input = filled(DType::u8, {1, 1, 4, 40}, [] { return 1; });
  const Kernel kernel = kernel_of({1, 1, 3, 3}, std::vector<float>(9, 1.0F));
  const Params params{.padding = kSame, .padding_mode = PaddingMode::constant, .padding_value = 0x1p24F};
  const ConvProblem problem = make_problem(DType::u8, input.shape(), kernel.shape, params);
  for (const std::string_view algorithm : algorithm_names()) {
    CAPTURE(std::string(algorithm));
    if (!applies(algorithm, problem, kernel)) continue;
    const ConvPlan plan(problem, kernel, {}, {.algorithm = std::string(algorithm)});
    Tensor output(DType::f32, plan.output_shape());
    const ResponseStats stats = plan.run(input.ref(), output.ref(), {.shift = 5 * 0x1p24});
    CHECK(output.data<float>()[0] == 4);
    CHECK(stats.max == 5 * 0x1p24 + 4);
    CHECK(stats.min == 9);
  }
}

}  // namespace
}  // namespace convtool
