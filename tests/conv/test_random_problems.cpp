// Seeded random problems of every kind, every algorithm against `reference`.
// Each case has its own seed, which is printed on failure. To replay one case, or to continue beyond the default cases:
//
//   CONVTOOL_TEST_SEED=1234 CONVTOOL_TEST_CASES=1 test_conv -tc="random problems"
//   CONVTOOL_TEST_SEED=2000 CONVTOOL_TEST_CASES=100000 test_conv -tc="random problems"
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

#include "support/conv_cases.h"
#include "support/params.h"

namespace convtool {
namespace {

constexpr DType kTypes[] = {DType::u8, DType::u16, DType::f32};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

Padding random_padding(Random& random) {
  switch (random.between(0, 5)) {
    case 0: return kSame;
    case 1: return kSameLower;
    case 2: return kFull;
    case 3: return {};
    default:
      return {Padding::Rule::fixed,
              {random.between(0, 4), random.between(0, 9), random.between(0, 4), random.between(0, 9)}};
  }
}

/// Nothing if the random numbers form a problem that make_problem() refuses.
std::optional<ConvCase> random_case(Random& random) {
  const std::int64_t groups = random.chance(2) ? 1 : random.between(1, 4);
  const bool depthwise = groups > 1 && random.chance(2);
  const std::int64_t inputs = depthwise ? 1 : random.between(1, 5), count = random.chance(3) ? random.between(1, 3) : 1;
  const std::int64_t outputs = count * random.between(1, random.chance(4) ? 12 : 3);
  const std::int64_t taps = random.chance(5) ? 13 : 5;  // mostly small kernels
  const KernelShape kernel{groups * outputs, inputs, random.between(1, taps), random.between(1, taps)};
  const Shape input{random.between(1, 3), groups * inputs, random.between(1, 20), random.between(1, 90)};
  const bool plain = random.chance(2);  // stride and dilation 1
  const auto step = [&] { return plain ? 1 : random.between(1, 4); };
  const Params params{.stride = {step(), step()},
                      .dilation = {step(), step()},
                      .padding = random_padding(random),
                      .padding_mode = static_cast<PaddingMode>(random.between(0, 5)),
                      .padding_value = static_cast<float>(random.between(-4, 300)),
                      .groups = groups};
  try {
    ConvCase c = make_case(
        {random.pick(kTypes), input, kernel, params, random.chance(3) ? Numbers::exact : Numbers::rough}, random);
    // Equal weights, for `box` and `separable`.
    if (random.chance(4)) std::fill(c.kernel.weights.begin(), c.kernel.weights.end(), c.kernel.weights[0]);
    const auto combine = count == 1 ? Combine::none : static_cast<Combine>(random.between(1, 6));
    c.epilogue = {static_cast<Activation>(random.between(0, 2)), combine, count};
    c.output_dtype = random.pick(kTypes);
    const double scale = random.chance(2) ? 1 : static_cast<double>(random.between(1, 1000)) / 16;
    c.map = {random.chance(3), static_cast<double>(random.between(-9, 9)), scale,
             static_cast<double>(random.between(0, 128))};
    c.input_layout = random.pick(kLayouts);
    c.output_layout = random.pick(kLayouts);
    return c;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::shape) throw;
    return std::nullopt;
  }
}

TEST_CASE("random problems") {
  const std::uint64_t first = from_environment("CONVTOOL_TEST_SEED", 1000);
  const std::uint64_t count = from_environment("CONVTOOL_TEST_CASES", 600);
  // make_problem() refuses a tenth of the 600 default cases. Of the others a third is u8, a third u16, whose sums may
  // be too large for float; half has stride and dilation 1, where a third of u8 has whole weights for `integer`; a
  // third has one input channel per output, of which a quarter has equal weights for `separable` and, if integer, for
  // `box`; an eighth is depthwise. Replays have no floors.
  const auto floor = [&](std::int64_t cases) { return count == 600 && first == 1000 ? cases : 0; };
  ConvTester tester("random problems", first,
                    {{"direct", floor(530)},
                     {"rows", floor(500)},
                     {"packed", floor(500)},
                     {"depthwise", floor(55)},
                     {"integer", floor(30)},
                     {"separable", floor(30)},
                     {"box", floor(10)},
                     {"fft", floor(100)}});
  std::uint64_t refused = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Random random(seed);
    const std::optional<ConvCase> c = random_case(random);
    if (!c) {
      ++refused;
      continue;
    }
    tester.set_seed(seed);
    tester.check(*c);
  }
  MESSAGE(refused << " of " << count << " random problems were refused by make_problem");
  if (count > 100) CHECK(refused < count / 2);
}

}  // namespace
}  // namespace convtool
