// Numbers of channels around vectors and blocks, and pictures as narrow as a tile: the edge cases of `packed` and
// `depthwise`. All cases are f32, or integers whose sums stay below 2^24, with few exceptions among u16.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "conv/plan.h"
#include "support/conv_cases.h"
#include "support/instruction_sets.h"
#include "support/params.h"

namespace convtool {
namespace {

constexpr DType kMostlyFloat[] = {DType::u8, DType::u16, DType::f32, DType::f32, DType::f32};
constexpr std::int64_t kUnevenWidths[] = {1, 2, 6, 7, 8, 13, 14, 15, 28, 29};

/// Pads stay below the width, so that every mode accepts them.
Params random_params(std::int64_t groups, std::int64_t width, Random& random) {
  const bool plain = random.chance(2);  // stride and dilation 1
  const auto step = [&] { return plain ? 1 : random.between(1, 3); };
  const std::int64_t most = random.chance(3) ? 0 : std::min<std::int64_t>(3, width - 1);
  const auto pad = [&] { return random.between(0, most); };
  return {.stride = {step(), step()},
          .dilation = {step(), step()},
          .padding = {Padding::Rule::fixed, {pad(), pad(), pad(), pad()}},
          .padding_mode = random_mode(random),
          .padding_value = 2,
          .groups = groups};
}

/// Checks the case with input and output in channels-last memory, or in any layout.
void check(ConvCase c, ConvTester& tester, Random& random) {
  const bool channels_last = random.chance(2);
  c.input_layout = channels_last ? Layout::interleaved : random.pick(kLayouts);
  c.output_layout = channels_last ? Layout::interleaved : random.pick(kLayouts);
  c.output_dtype = random.chance(2) ? DType::f32 : random.pick(kMostlyFloat);
  tester.check(c);
}

TEST_CASE("output channels around vectors and blocks, in groups, on narrow pictures") {
  constexpr std::uint64_t kSeed = 71;
  ConvTester tester("many outputs", kSeed, {{"packed", 170}, {"rows", 170}});  // 18 numbers, 10 widths
  Random random(kSeed);
  for (const std::int64_t outputs : {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 47, 48, 49, 65})  // per group
    for (const std::int64_t width : kUnevenWidths) {
      const std::int64_t groups = random.chance(3) ? random.between(2, 3) : 1;
      const std::int64_t inputs = random.pick(std::vector<std::int64_t>{1, 2, 3, 4, 5, 9, 16});
      const std::int64_t kernel = width < 3 ? 1 : random.between(1, 3);
      Params params = random_params(groups, width, random);
      if (width < 8) params.dilation = {};
      check(make_case({random.pick(kMostlyFloat),
                       {random.between(1, 2), groups * inputs, random.between(7, 15), width},
                       {groups * outputs, inputs, kernel, kernel},
                       params,
                       random.chance(2) ? Numbers::exact : Numbers::rough},
                      random),
            tester, random);
    }
}

TEST_CASE("many input channels, and outputs combined across groups and blocks") {
  constexpr std::uint64_t kSeed = 72;
  // 4 numbers of inputs, 3 of combined channels. Up to 2313 taps: u16 is refused, and exact u8 in part.
  ConvTester tester("many inputs", kSeed, {{"packed", 6}, {"rows", 6}, {"direct", 12}, {"fft", 1}});
  Random random(kSeed);
  for (const std::int64_t inputs : {31, 64, 100, 257})
    for (const std::int64_t combined : {1, 3, 10}) {
      ConvCase c = make_case({random.pick(kMostlyFloat),
                              {1, 2 * inputs, 7, 9},
                              {30, inputs, 3, 3},
                              Params{.padding = kSame, .padding_mode = random_mode(random), .groups = 2},
                              random.chance(2) ? Numbers::exact : Numbers::rough},
                             random);
      if (combined > 1) c.epilogue = {Activation::none, static_cast<Combine>(random.between(1, 6)), combined};
      check(std::move(c), tester, random);
    }
}

TEST_CASE("rows longer than a block, and several blocks of rows") {
  constexpr std::uint64_t kSeed = 73;
  // 3 shapes, 3 strides. A sixth is u16 with weights of up to 16, which may be refused.
  ConvTester tester("blocks", kSeed, {{"packed", 6}, {"rows", 6}});
  Random random(kSeed);
  for (const Shape& input : {Shape{2, 3, 3, 950}, Shape{1, 3, 70, 60}, Shape{1, 3, 41, 33}})
    for (const Extent stride : {Extent{1, 1}, Extent{2, 1}, Extent{1, 2}}) {
      check(make_case({random.pick(kMostlyFloat),
                       input,
                       {33, 3, 3, 3},
                       Params{.stride = stride, .padding = kSame, .padding_mode = random_mode(random)},
                       random.chance(2) ? Numbers::exact : Numbers::rough},
                      random),
            tester, random);
    }
  CHECK(tester.threaded_cases("packed") >= 6);  // stride 1, and 2 on some
}

TEST_CASE("depthwise with numbers of channels around vectors") {
  constexpr std::uint64_t kSeed = 74;
  ConvTester tester("depthwise", kSeed, {{"depthwise", 140}, {"rows", 140}, {"packed", 140}});  // 14 numbers, 10 widths
  Random random(kSeed);
  for (const std::int64_t channels : {1, 3, 4, 7, 8, 9, 15, 16, 17, 32, 63, 64, 65, 130})
    for (const std::int64_t width : kUnevenWidths) {
      const std::int64_t kernel = width < 7 ? 1 : random.between(1, 4);
      Params params = random_params(channels, width, random);
      if (width < 13) params.dilation = {};
      check(make_case({random.pick(kMostlyFloat),
                       {random.between(1, 2), channels, random.between(10, 15), width},
                       {channels, 1, kernel, kernel},
                       params,
                       random.chance(2) ? Numbers::exact : Numbers::rough},
                      random),
            tester, random);
    }
}

TEST_CASE("channels next to those of the output are not written") {
  Random random(76);
  on_each_set([&] {
    for (const std::int64_t channels : {1, 2, 3, 4, 5, 8, 12})
      for (const char* algorithm : {"depthwise", "packed", "rows"}) {
        CAPTURE(channels);
        CAPTURE(algorithm);
        ConvCase c = make_case({DType::f32,
                                {1, channels, 4, 9},
                                {channels, 1, 3, 3},
                                Params{.padding = kSame, .groups = channels},
                                Numbers::exact},
                               random);
        std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 0.0F);
        const ConvPlan plan(c.problem, c.kernel, {}, {.algorithm = algorithm});
        for (const std::int64_t total : {channels + 1, 2 * channels, 4 * channels}) {
          std::vector<float> pixels(static_cast<std::size_t>(36 * total), 777);
          const TensorRef output{pixels.data(), DType::f32, plan.output_shape(), {0, 1, 9 * total, total}};
          plan.run(c.input.ref(), output);
          for (std::size_t i = 0; i < pixels.size(); ++i)
            if (static_cast<std::int64_t>(i) % total >= channels) CHECK(pixels[i] == 777);
        }
      }
  });
}

TEST_CASE("a weight that is not finite turns zero padding into NaN") {
  // 0 * infinity is NaN: taps outside the picture must not be skipped.
  constexpr std::uint64_t kSeed = 75;
  ConvTester tester("weights that are not finite", kSeed,
                    {{"packed", 4}, {"rows", 4}, {"direct", 4}, {"depthwise", 2}});  // 2 numbers of groups, 2 weights
  Random random(kSeed);
  for (const std::int64_t groups : {1, 20})
    for (const float weight : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      ConvCase c = make_case({DType::f32,
                              {1, 20, 30, 31},
                              {20, 20 / groups, 3, 3},
                              Params{.padding = kSame, .groups = groups},
                              Numbers::exact},
                             random);
      c.kernel.weights[0] = weight;
      c.input_layout = c.output_layout = Layout::interleaved;
      tester.check(c);
    }
}

}  // namespace
}  // namespace convtool
