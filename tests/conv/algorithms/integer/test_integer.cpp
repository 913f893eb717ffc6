// The algorithm `integer`: boundaries between tiles that read the picture in place and tiles that read copied strips,
// flat views, weights over a power of two, and the limits beyond which it must refuse.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/params.h"
#include "support/values.h"

namespace convtool {
namespace {

/// An exact case in which each channel is filtered by a kernel of `kh` x `kw`. With `shared`, all use the same kernel.
ConvCase depthwise_case(const Shape& input, std::int64_t kh, std::int64_t kw, const Params& params, bool shared,
                        Random& random) {
  Params with_groups = params;
  with_groups.groups = input.c;
  ConvCase c = make_case({DType::u8, input, {input.c, 1, kh, kw}, with_groups, Numbers::exact}, random);
  if (shared) {
    for (std::size_t i = static_cast<std::size_t>(kh * kw); i < c.kernel.weights.size(); ++i)
      c.kernel.weights[i] = c.kernel.weights[i - static_cast<std::size_t>(kh * kw)];
    std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), c.kernel.bias[0]);
  }
  c.output_dtype = random.pick(std::vector{DType::u8, DType::u16, DType::f32});
  c.input_layout = random.pick(kLayouts);
  c.output_layout = random.chance(2) ? c.input_layout : random.pick(kLayouts);
  return c;
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

ConvProblem problem_of(const Kernel& kernel, const Params& params = {}) {
  const std::int64_t c_i = kernel.shape.c_i_per_group * params.groups;
  return make_problem(DType::u8, {1, c_i, kernel.shape.kh + 3, kernel.shape.kw + 40}, kernel.shape, params);
}

}  // namespace

TEST_CASE("integer: many widths, around the boundaries between copied strips and the picture") {
  Random random(81);
  ConvTester tester("widths", 81, {{"integer", 360}});  // 180 widths, 2 cases each
  for (std::int64_t width = 1; width <= 180; ++width) {
    const std::int64_t kw = random.between(1, 9), kh = random.between(1, 9);
    const Params params{.padding = random.chance(3) ? kFull : kSame, .padding_mode = PaddingMode::replicate};
    tester.check(depthwise_case({1, 1, random.between(1, 20), width}, kh, kw, params, true, random));
    tester.check(depthwise_case({1, random.between(2, 5), 9, width}, kh, kw, params, true, random));
  }
}

TEST_CASE("integer: rows of several tiles") {
  Random random(82);
  ConvTester tester("tiles", 82, {{"integer", 14}});  // 7 widths, 2 cases each
  for (const std::int64_t width : {2047, 2048, 2049, 2112, 2300, 4096 + 40, 4096 + 140}) {
    tester.check(depthwise_case({1, 1, 9, width}, 3, 5, {.padding = kSame}, true, random));
    ConvCase flat = depthwise_case({1, 3, 9, width / 3}, 2, 7, {.padding = kSame}, true, random);
    flat.input_layout = flat.output_layout = Layout::interleaved;
    tester.check(flat);
  }
}

TEST_CASE("integer: kernels of many sizes, in every padding mode") {
  Random random(83);
  ConvTester tester("kernels", 83, {{"integer", 42}});  // 6 modes, 7 sizes
  for (const PaddingMode mode : kModes)
    for (const std::int64_t side : {1, 2, 4, 8, 9, 15, 33}) {
      const Params params{.padding = mode == PaddingMode::reflect ? kSame : pads(side, 2 * side, 1, side + 40),
                          .padding_mode = mode,
                          .padding_value = 255};
      const Shape shape{1, side < 10 ? random.between(1, 4) : 1, side + 4, random.between(side, 2 * side + 40)};
      const std::int64_t width = random.between(1, side);
      tester.check(depthwise_case(shape, side, width, params, random.chance(2), random));
    }
}

TEST_CASE("integer: interleaved pictures that share a kernel, in every layout, with pairs to combine") {
  Random random(84);
  ConvTester tester("flat", 84, {{"integer", 160}}, Sets::in_turn);  // 4 channels, 5 layouts, 2 counts, 4 cases each
  for (std::int64_t channels = 2; channels <= 5; ++channels)
    for (const Layout layout : kLayouts)
      for (const std::int64_t joined : {1, 2}) {
        const Shape shape{2, channels, 9, 130};
        const Params params{.padding = kSame, .padding_mode = PaddingMode::reflect, .groups = channels};
        ConvCase c = make_case({DType::u8, shape, {channels * joined, 1, 3, 3}, params, Numbers::exact}, random);
        for (std::size_t i = static_cast<std::size_t>(9 * joined); i < c.kernel.weights.size(); ++i)
          c.kernel.weights[i] = c.kernel.weights[i - static_cast<std::size_t>(9 * joined)];
        std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 3.0F);
        if (joined == 2) c.epilogue = {Activation::none, Combine::magnitude, 2};
        c.output_dtype = random.pick(std::vector{DType::u8, DType::f32});
        c.input_layout = c.output_layout = layout;
        tester.check(c);
        c.output_layout = Layout::planar;
        tester.check(c);
        c.output_layout = layout;
        c.epilogue = {};  // one output for each sum
        tester.check(c);
        c.kernel.bias.back() = 4;  // one channel has a different epilogue
        tester.check(c);
      }
}

TEST_CASE("integer: sums over channels, and combines across groups") {
  Random random(85);
  ConvTester tester("channels", 85, {{"integer", 24}});  // 12 times 2
  for (int i = 0; i < 12; ++i) {
    const std::int64_t c_i = random.between(2, 4);
    ConvCase sum = make_case(
        {DType::u8, {1, c_i, 12, 90}, {random.between(1, 3), c_i, 3, 4}, {.padding = kSame}, Numbers::exact}, random);
    sum.input_layout = random.pick(kLayouts);
    tester.check(sum);
    ConvCase across = make_case({DType::u8, {1, 6, 12, 50}, {6, 2, 2, 3}, {.groups = 3}, Numbers::exact}, random);
    // The groups have sums 0, 1 | 2, 3 | 4, 5. Combines take 0, 1, 2 | 3, 4, 5.
    across.epilogue = {Activation::abs, Combine::max, 3};
    tester.check(across);
  }
}

TEST_CASE("integer: weights over a power of two, with divisors") {
  Random random(86);
  ConvTester tester("dyadic", 86, {{"integer", 48}});  // 4 units, 6 weights, 2 outputs
  for (const double unit : {0.5, 0.0625, 0x1p-20, 0x1p-149})
    for (const std::int64_t most : {3, 100, 127, 128, 3000, 32767})
      for (const DType output : {DType::u8, DType::f32}) {
        ConvCase c = make_case({DType::u8, {1, 1, 10, 70}, {1, 1, 3, 5}, {.padding = kSame}, Numbers::exact}, random);
        for (float& weight : c.kernel.weights)
          weight = static_cast<float>(static_cast<double>(random.between(-most, most)) * unit);
        c.kernel.weights[0] = static_cast<float>(static_cast<double>(most) * unit);
        c.kernel.bias[0] = 0;
        c.exact = 15 * most * 255 < 1 << 24;  // for float sums; `integer` must always be exact
        if (random.chance(2)) c.kernel.divisor = {3};
        c.output_dtype = output;
        tester.check(c);
      }
}

TEST_CASE("integer: sums up to the limit of 32 bits, and no larger") {
  // 255 * 8421504 = 2^31 - 128. A weight larger by 1 would overflow.
  Kernel kernel = kernel_of({1, 1, 1, 258}, std::vector<float>(258, 32767.0F));
  kernel.weights[257] = 8421504 - 257 * 32767;
  const ConvProblem problem = problem_of(kernel);
  CHECK(refusal("integer", problem, kernel) == "");
  for (const float sign : {1.0F, -1.0F}) {
    ConvCase c{.problem = problem, .kernel = kernel, .input = filled(DType::u8, problem.input, [] { return 255; })};
    for (float& weight : c.kernel.weights) weight *= sign;
    c.exact = true;
    ConvTester("limit", 0, {{"integer", 1}}).check(c);
  }
  kernel.weights[257] += 1;
  CHECK(mentions(refusal("integer", problem, kernel), "need more than 32 bits"));
  kernel.weights[257] = -kernel.weights[257];
  CHECK(mentions(refusal("integer", problem, kernel), "need more than 32 bits"));
}

TEST_CASE("integer refuses problems that it cannot compute exactly") {
  const Kernel kernel = kernel_of({1, 1, 3, 3}, std::vector<float>(9, 1.0F));
  CHECK(refusal("integer", problem_of(kernel), kernel) == "");
  CHECK(mentions(refusal("integer", problem_of(kernel, {.stride = {1, 2}}), kernel), "stride"));
  CHECK(mentions(refusal("integer", problem_of(kernel, {.dilation = {2, 1}}), kernel), "dilation"));
  for (const float value : {-1.0F, 0.5F, 256.0F})
    CHECK(mentions(
        refusal("integer", problem_of(kernel, {.padding_mode = PaddingMode::constant, .padding_value = value}), kernel),
        "padding value"));
  const ConvProblem shorts = make_problem(DType::u16, {1, 1, 9, 9}, kernel.shape, {});
  CHECK(mentions(refusal("integer", shorts, kernel), "8-bit"));
  const Kernel tenths = kernel_of({1, 1, 1, 3}, {0.1F, 0.2F, 0.1F});
  CHECK(mentions(refusal("integer", problem_of(tenths), tenths), "integers"));
  const Kernel large = kernel_of({1, 1, 1, 1}, {32768});
  CHECK(mentions(refusal("integer", problem_of(large), large), "16-bit"));
  const Kernel deep = kernel_of({1, 30000, 1, 1}, std::vector<float>(30000, 1.0F));
  CHECK(mentions(refusal("integer", problem_of(deep), deep), "16 MiB"));
}

}  // namespace convtool
