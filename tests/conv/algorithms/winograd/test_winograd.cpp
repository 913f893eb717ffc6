// `winograd` around its edges: channels that fill no vector, pictures of odd sizes, several blocks, and pixels that its
// additions cannot hold.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "conv/plan.h"
#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/error_text.h"
#include "support/params.h"

namespace convtool {
namespace {

constexpr std::int64_t kWidths[] = {2, 3, 4, 5, 8, 9, 16, 29};

PaddingMode random_mode(Random& random) {
  return random.chance(2) ? PaddingMode::zeros : static_cast<PaddingMode>(random.between(0, 5));
}

/// Pads stay below the size, so that every mode accepts them, and leave room for the kernel.
Params random_params(const Extent& size, std::int64_t groups, Random& random) {
  const auto pad = [&](std::int64_t along) {
    const std::int64_t most = std::min<std::int64_t>(3, along - 1);
    return random.between(std::min<std::int64_t>(most, 1), most);
  };
  return {.padding = {Padding::Rule::fixed, {pad(size.h), pad(size.h), pad(size.w), pad(size.w)}},
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
    for (const std::int64_t width : kWidths) {
      const std::int64_t groups = random.chance(3) ? random.between(2, 3) : 1;
      const std::int64_t inputs = random.pick(std::vector<std::int64_t>{1, 2, 3, 5, 8, 16, 17, 40});
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
       {Shape{2, 3, 5, 950}, Shape{1, 3, 70, 61}, Shape{1, 40, 41, 33}, Shape{1, 128, 30, 31}, Shape{3, 17, 20, 20}})
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
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
  ConvTester tester("winograd not finite", kSeed, {{"winograd", 150}});
  Random random(kSeed);
  for (int i = 0; i < 150; ++i) {
    const std::int64_t channels = random.between(1, 20), outputs = 2 * random.between(1, 17);
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

TEST_CASE("winograd says why it does not apply") {
  const auto refusal = [](DType dtype, const KernelShape& shape, const Params& params, bool direct_error = false) {
    const ConvProblem problem = make_problem(dtype, {1, 4, 12, 12}, shape, params);
    const Kernel kernel = kernel_of(shape, std::vector<float>(static_cast<std::size_t>(shape.count()), 1.0F));
    return testing::error_text(ErrorKind::shape, [&] {
      const ConvPlan plan(problem, kernel, {}, {.algorithm = "winograd", .direct_error = direct_error});
    });
  };
  const auto sentence = [](const std::string& reason) {
    return "--algorithm winograd does not apply here: " + reason + "; use auto";
  };
  CHECK(refusal(DType::f32, {8, 4, 3, 5}, {}) == sentence("the kernel is not 3x3"));
  CHECK(refusal(DType::f32, {8, 4, 3, 3}, {.stride = {1, 2}}) == sentence("the stride or the dilation is not 1"));
  CHECK(refusal(DType::f32, {8, 4, 3, 3}, {.dilation = {2, 1}}) == sentence("the stride or the dilation is not 1"));
  CHECK(refusal(DType::u8, {8, 4, 3, 3}, {}) == sentence("the pixels are not float"));
  CHECK(refusal(DType::f32, {8, 4, 3, 3}, {}, true) == sentence("its error would depend on neighbouring pixels"));
  CHECK(refusal(DType::f32, {8, 4, 3, 3}, {}) == "none");
}

}  // namespace
}  // namespace convtool
