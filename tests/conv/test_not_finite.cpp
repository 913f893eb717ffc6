// NaN and infinities in the picture: they must appear in exactly those outputs where the definition has them.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/params.h"
#include "support/values.h"

namespace convtool {
namespace {

TEST_CASE("NaN and infinities at random places") {
  constexpr std::uint64_t kSeed = 11;
  // 400 cases, two outputs each: `depthwise` does not apply. Half are at stride 1, a third of which has more taps than
  // a few for `fft`.
  ConvTester tester("not finite", kSeed, {{"direct", 400}, {"rows", 400}, {"packed", 400}, {"fft", 60}});
  Random random(kSeed);
  for (int i = 0; i < 400; ++i) {
    const std::int64_t channels = random.between(1, 3);
    const std::int64_t stride = random.between(1, 2);
    ConvCase c = make_case({DType::f32,
                            {1, channels, random.between(3, 9), random.between(3, 40)},
                            {2, channels, random.between(1, 3), random.between(1, 5)},
                            Params{.stride = {stride, stride},
                                   .padding = kSame,
                                   .padding_mode = random.chance(2) ? PaddingMode::zeros : PaddingMode::symmetric},
                            random.chance(2) ? Numbers::exact : Numbers::rough},
                           random);
    for (std::int64_t spot = random.between(1, 4); spot > 0; --spot)
      c.input.data<float>()[random.between(0, c.input.shape().count() - 1)] =
          random.pick(std::vector{kNan, kInf, -kInf});
    if (random.chance(2)) c.kernel.weights[0] = 0;  // 0 * inf is NaN: a weight of 0 must not be skipped
    c.epilogue.activation = static_cast<Activation>(random.between(0, 2));
    if (random.chance(2)) c.epilogue = {c.epilogue.activation, static_cast<Combine>(random.between(1, 6)), 2};
    c.output_dtype = random.pick(std::vector{DType::f32, DType::f32, DType::u8, DType::u16});
    c.input_layout = random.pick(kLayouts);
    c.output_layout = random.pick(kLayouts);
    tester.check(c);
  }
}

TEST_CASE("one NaN reaches the outputs whose receptive field holds it, and no other") {
  std::string ran;
  for (const std::string_view algorithm : algorithm_names()) {
    CAPTURE(std::string(algorithm));
    Tensor input = filled(DType::f32, {1, 1, 9, 20}, [] { return 1.0; });
    input.data<float>()[4 * 20 + 7] = kNan;
    const Kernel kernel = kernel_of({1, 1, 3, 3}, std::vector<float>(9, 0.0F));  // even through weights of 0
    if (!applies(algorithm, make_problem(DType::f32, input.shape(), kernel.shape, {}), kernel)) continue;
    ran += std::string(algorithm) + " ";
    const Tensor output = convolve(input.ref(), kernel, Params{.padding = kSame}, algorithm);
    const auto view = output.ref().view<float>();
    for (std::int64_t y = 0; y < 9; ++y)
      for (std::int64_t x = 0; x < 20; ++x) {
        const bool sees = std::abs(y - 4) <= 1 && std::abs(x - 7) <= 1;
        CHECK(std::isnan(view.at(0, 0, y, x)) == sees);
      }
  }
  CHECK(
      ran ==
      "reference direct rows separable packed depthwise fft ");  // all but those for integer pictures or many channels
}

}  // namespace
}  // namespace convtool
