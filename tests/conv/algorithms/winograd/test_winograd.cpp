// `winograd` around its edges: channels that fill no vector, pictures of odd sizes, several blocks, and pixels that its
// additions cannot hold.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "conv/plan.h"
#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/error_text.h"
#include "support/instruction_sets.h"
#include "support/params.h"
#include "support/values.h"

namespace convtool {
namespace {

constexpr std::int64_t kTileWidths[] = {2, 3, 4, 5, 8, 9, 16, 29};

/// Pads stay below the size, so that every mode accepts them, and leave room for the kernel.
Params random_params(const Extent& size, std::int64_t groups, Random& random) {
  const auto pad = [&](std::int64_t along) {
    const std::int64_t most = std::min<std::int64_t>(3, along - 1);
    return random.between(std::min<std::int64_t>(most, 1), most);
  };
  const std::int64_t top = pad(size.h), bottom = pad(size.h), left = pad(size.w), right = pad(size.w);
  return {.padding = {Padding::Rule::fixed, {.top = top, .left = left, .bottom = bottom, .right = right}},
          .padding_mode = random_mode(random),
          .padding_value = 2,
          .groups = groups};
}

void place(ConvCase& c, Random& random) {
  const bool channels_last = random.chance(2);
  c.input_layout = channels_last ? Layout::interleaved : random.pick(kLayouts);
  c.output_layout = channels_last ? Layout::interleaved : random.pick(kLayouts);
  c.output_dtype = random.chance(3) ? DType::u8 : DType::f32;
}

TEST_CASE("winograd: channels around vectors and blocks, in groups, on pictures of any size") {
  constexpr std::uint64_t kSeed = 171;
  ConvTester tester("winograd", kSeed, {{"winograd", 96}});  // 12 numbers, 8 widths
  Random random(kSeed);
  for (const std::int64_t outputs : {1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 65})  // per group
    for (const std::int64_t width : kTileWidths) {
      const std::int64_t groups = random.chance(3) ? random.between(2, 3) : 1;
      const std::int64_t inputs = random.pick(std::vector<std::int64_t>{8, 9, 15, 16, 17, 40});
      const std::int64_t height = random.between(3, 15);
      ConvCase c = make_case({DType::f32,
                              {random.between(1, 2), groups * inputs, height, width},
                              {groups * outputs, inputs, 3, 3},
                              random_params({height, width}, groups, random),
                              random.chance(2) ? Numbers::exact : Numbers::rough},
                             random);
      if (random.chance(4)) c.epilogue = {Activation::relu, Combine::none, 1};
      place(c, random);
      tester.check(c);
    }
}

TEST_CASE("winograd: several blocks across and down, a batch, and combined channels") {
  constexpr std::uint64_t kSeed = 172;
  ConvTester tester("winograd blocks", kSeed, {{"winograd", 10}});
  Random random(kSeed);
  for (const Shape& input :
       {Shape{2, 8, 5, 950}, Shape{1, 9, 70, 61}, Shape{1, 40, 41, 33}, Shape{1, 128, 30, 31}, Shape{3, 17, 20, 20}})
    for (const std::int64_t combined : {1, 6}) {
      ConvCase c = make_case({DType::f32,
                              input,
                              {66, input.c, 3, 3},
                              Params{.padding = kSame, .padding_mode = random_mode(random)},
                              random.chance(2) ? Numbers::exact : Numbers::rough},
                             random);
      if (combined > 1) c.epilogue = {Activation::none, static_cast<Combine>(random.between(1, 6)), combined};
      place(c, random);
      tester.check(c);
    }
  CHECK(tester.threaded_cases("winograd") >= 8);
}

TEST_CASE("winograd: NaN, infinity and pixels that overflow are where the definition has them") {
  constexpr std::uint64_t kSeed = 173;
  ConvTester tester("winograd not finite", kSeed, {{"winograd", 150}});
  Random random(kSeed);
  for (int i = 0; i < 150; ++i) {
    const std::int64_t channels = random.between(8, 20), outputs = 2 * random.between(1, 17);
    ConvCase c = make_case({DType::f32,
                            {1, channels, random.between(3, 9), random.between(3, 40)},
                            {outputs, channels, 3, 3},
                            Params{.padding = kSame, .padding_mode = random_mode(random)},
                            random.chance(2) ? Numbers::exact : Numbers::rough},
                           random);
    for (std::int64_t spot = random.between(1, 4); spot > 0; --spot)
      c.input.data<float>()[random.between(0, c.input.shape().count() - 1)] =
          random.pick(std::vector{kNan, kInf, -kInf});
    if (random.chance(2)) c.kernel.weights[0] = 0;  // 0 * inf is NaN
    if (random.chance(2)) c.epilogue = {Activation::relu, static_cast<Combine>(random.between(1, 6)), 2};
    place(c, random);
    tester.check(c);
  }
}

TEST_CASE("winograd: sums of pixels near the largest float") {
  // 3e38 - -3e38 is too large for a float. The sums, of weights that add up to 1, are not.
  Random random(174);
  const KernelShape shape{33, 17, 3, 3};
  Kernel kernel = kernel_of(shape, std::vector<float>(static_cast<std::size_t>(shape.count()), 0x1p-8F));
  const Tensor input = filled(DType::f32, {1, 17, 12, 13}, [&] { return random.chance(2) ? 3e38 : -3e38; });
  const Params params{.padding = kSame};
  const Tensor expected = convolve(input.ref(), kernel, params, "reference"),
               output = convolve(input.ref(), kernel, params, "winograd");
  const auto a = output.ref().view<float>(), b = expected.ref().view<float>();
  const double bound = 153 * 0x1p-24 * 3e38 * 153 * 0x1p-8;  // of 153 products summed one after the other
  for (std::int64_t c = 0; c < shape.c_o; ++c) {
    for (std::int64_t y = 0; y < 12; ++y) {
      for (std::int64_t x = 0; x < 13; ++x) {
        REQUIRE(std::isfinite(a.at(0, c, y, x)));
        CHECK(std::fabs(static_cast<double>(a.at(0, c, y, x)) - static_cast<double>(b.at(0, c, y, x))) <= bound);
      }
    }
  }
}

TEST_CASE("winograd: pads larger than the picture, and weights whose transform overflows") {
  constexpr std::uint64_t kSeed = 175;
  ConvTester tester("winograd extremes", kSeed, {{"winograd", 4}});
  Random random(kSeed);
  for (const bool large_pads : {true, false})
    for (const Shape& input : {Shape{1, 9, 2, 3}, Shape{2, 8, 7, 5}}) {
      ConvCase c =
          make_case({DType::f32,
                     input,
                     {20, input.c, 3, 3},
                     Params{.padding = {Padding::Rule::fixed, large_pads ? Pads{11, 8, 7, 12} : Pads{1, 1, 1, 1}},
                            .padding_mode = PaddingMode::constant,
                            .padding_value = large_pads ? 3.0F : 0.0F},
                     Numbers::rough},
                    random);
      if (!large_pads)
        std::fill_n(c.kernel.weights.begin(), 9, 3e38F);  // their sum is infinite, that of products is not
      if (!large_pads) std::fill_n(c.input.data<float>(), input.count(), 0x1p-20F);
      place(c, random);
      tester.check(c);
    }
}

TEST_CASE("winograd writes no channel next to those of its output") {
  Random random(176);
  on_each_set([&] {
    for (const std::int64_t channels : {3, 16, 32, 33}) {
      CAPTURE(channels);
      ConvCase c =
          make_case({DType::f32, {1, 8, 5, 9}, {channels, 8, 3, 3}, Params{.padding = kSame}, Numbers::exact}, random);
      std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 0.0F);
      const ConvPlan plan(c.problem, c.kernel, {}, {.algorithm = "winograd"});
      for (const std::int64_t total : {channels + 1, 2 * channels}) {
        std::vector<float> pixels(static_cast<std::size_t>(45 * total), 777);
        plan.run(c.input.ref(), {pixels.data(), DType::f32, plan.output_shape(), {0, 1, 9 * total, total}});
        for (std::size_t i = 0; i < pixels.size(); ++i)
          if (static_cast<std::int64_t>(i) % total >= channels) CHECK(pixels[i] == 777);
      }
    }
  });
}

TEST_CASE("winograd expects pixels with interleaved channels to be faster than planes") {
  const KernelShape shape{64, 64, 3, 3};
  const ConvProblem problem = make_problem(DType::f32, {1, 64, 56, 56}, shape, {});
  const Kernel kernel = kernel_of(shape, std::vector<float>(static_cast<std::size_t>(shape.count()), 1.0F));
  const auto expected = [&](bool input, bool output) {
    return expected_nanoseconds(
        problem, kernel, {.algorithm = "winograd", .input_channels_last = input, .output_channels_last = output});
  };
  CHECK(expected(true, true) < expected(false, true));
  CHECK(expected(true, true) < expected(true, false));
}

TEST_CASE("winograd: a band needs no more memory than the whole picture") {
  // Tiles are cut evenly. If a band cut its own, it might make larger blocks.
  const KernelShape shape{1, 5900, 3, 3};
  const ConvProblem problem = make_problem(DType::f32, {1, 5900, 114, 2}, shape, Params{.padding = kSame});
  const Kernel kernel = kernel_of(shape, std::vector<float>(static_cast<std::size_t>(shape.count()), 1.0F));
  const ConvPlan whole(problem, kernel, {}, {.algorithm = "winograd"});
  CHECK(whole.band({0, 110}, 1).thread_memory() <= whole.thread_memory());
}

TEST_CASE("winograd says why it does not apply") {
  const auto refusal = [](DType dtype, const KernelShape& shape, const Params& params, float weight = 1,
                          bool direct_error = false) {
    const ConvProblem problem = make_problem(dtype, {1, shape.c_i_per_group, 12, 12}, shape, params);
    Kernel kernel = kernel_of(shape, std::vector<float>(static_cast<std::size_t>(shape.count()), 1.0F));
    std::fill_n(kernel.weights.end() - shape.taps(), shape.taps() / 2 + 1, weight);
    return testing::error_text(ErrorKind::shape, [&] {
      const ConvPlan plan(problem, kernel, {}, {.algorithm = "winograd", .direct_error = direct_error});
    });
  };
  const auto sentence = [](const std::string& reason) {
    return "--algorithm winograd does not apply here: " + reason + "; use auto";
  };
  const KernelShape shape{6, 8, 3, 3};
  CHECK(refusal(DType::f32, {6, 8, 3, 5}, {}) == sentence("the kernel is not 3x3"));
  CHECK(refusal(DType::f32, shape, {.stride = {1, 2}}) == sentence("the stride or the dilation is not 1"));
  CHECK(refusal(DType::f32, shape, {.dilation = {2, 1}}) == sentence("the stride or the dilation is not 1"));
  CHECK(refusal(DType::u8, shape, {}) == sentence("the pixels are not float"));
  CHECK(refusal(DType::f32, {6, 7, 3, 3}, {}) == sentence("there are fewer than 8 input channels"));
  CHECK(refusal(DType::f32, shape, {}, 0) == sentence("most weights of an output are 0 or nearly 0"));
  CHECK(refusal(DType::f32, shape, {}, 0x1p-101F) == sentence("most weights of an output are 0 or nearly 0"));
  CHECK(refusal(DType::f32, shape, {}, -0x1p-100F) == "none");
  CHECK(refusal(DType::f32, shape, {}, 1, true) ==
        sentence("a bright pixel would add to its error even where its weight is small"));
}

}  // namespace
}  // namespace convtool
