// The algorithm `box` against `reference`, on kernels of equal weights, which random weights never are: running sums at
// every width and number of channels, padding values that enter and leave the window, slices, and what it refuses.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/params.h"
#include "support/values.h"

namespace convtool {
namespace {

constexpr DType kIntegers[] = {DType::u8, DType::u16};

/// A kernel of kh x kw for each channel alone, `count` of them per channel. With `shared` all kernels of an interleaved
/// picture are alike, so that it is filtered as one row. Whole weights make the case exact.
ConvCase box_case(DType dtype, const Shape& input, Extent size, std::int64_t count, bool shared, Params params,
                  Random& random) {
  params.groups = input.c;
  const Numbers numbers = random.chance(2) ? Numbers::exact : Numbers::rough;
  ConvCase c = make_case({dtype, input, {input.c * count, 1, size.h, size.w}, params, numbers}, random);
  for (std::int64_t o = 0; o < input.c * count; ++o) {
    const float weight = shared                      ? 2.0F
                         : numbers == Numbers::exact ? static_cast<float>(random.between(-3, 3))
                                                     : random.rough();
    std::fill_n(c.kernel.weights.begin() + o * size.h * size.w, size.h * size.w, weight);
    if (shared) c.kernel.bias[static_cast<std::size_t>(o)] = 3;
  }
  c.exact = shared || numbers == Numbers::exact;
  c.output_dtype = random.pick(kTypes);
  c.input_layout = random.pick(kLayouts);
  c.output_layout = random.chance(2) ? c.input_layout : random.pick(kLayouts);
  return c;
}

}  // namespace

TEST_CASE("box: every width of a picture, of 1 to 5 channels") {
  // Weights of at most 3 and 25 taps keep u16 sums below 2^24, so every case is accepted: 70 widths, 5 numbers of
  // channels, 2 types.
  Random random(101);
  ConvTester tester("box widths", 101, {{"box", 700}});
  for (std::int64_t width = 1; width <= 70; ++width)
    for (std::int64_t channels = 1; channels <= 5; ++channels)
      for (const DType dtype : kIntegers) {
        const Params params{.padding = random.chance(3) ? kFull : kSame,
                            .padding_mode = random.pick(std::vector{PaddingMode::constant, PaddingMode::replicate,
                                                                    PaddingMode::circular, PaddingMode::symmetric}),
                            .padding_value = 7};
        const Extent size{random.between(1, 5), random.between(1, 5)};
        const Shape input{1, channels, random.between(1, 9), width};
        ConvCase c = box_case(dtype, input, size, 1, random.chance(2), params, random);
        if (random.chance(3)) c.input_layout = c.output_layout = Layout::interleaved;
        tester.check(c);
      }
}

TEST_CASE("box: rows wider than a slice") {
  Random random(102);
  ConvTester tester("box slices", 102, {{"box", 12}}, Sets::in_turn);  // 2 types, 2 numbers of channels, 3 widths
  for (const DType dtype : kIntegers)
    for (const std::int64_t channels : {1, 3})
      for (const std::int64_t more : {-1, 1, 40}) {
        const Params params{.padding = kSame, .padding_mode = PaddingMode::constant, .padding_value = 9};
        ConvCase c = box_case(dtype, {1, channels, 5, (16384 + more) / channels}, {3, 5}, 1, true, params, random);
        c.input_layout = c.output_layout = Layout::interleaved;
        tester.check(c);
      }
}

TEST_CASE("box: batches, several kernels per channel, combines, and windows larger than the picture") {
  Random random(103);
  ConvTester tester("box kernels", 103, {{"box", 200}}, Sets::in_turn);
  for (int i = 0; i < 200; ++i) {
    const std::int64_t count = random.between(1, 3);
    const Params params{.padding = kFull,
                        .padding_mode = random.pick(std::vector{PaddingMode::constant, PaddingMode::replicate,
                                                                PaddingMode::circular, PaddingMode::symmetric}),
                        .padding_value = 3};
    // u16 sums stay below 2^24 with at most 85 taps of weight 3.
    const Extent size{random.between(1, 9), random.between(1, 9)};
    const Shape input{random.between(1, 3), random.between(1, 4), random.between(1, 12), random.between(1, 40)};
    ConvCase c = box_case(random.pick(kIntegers), input, size, count, false, params, random);
    if (count > 1 && random.chance(2))
      c.epilogue = {Activation::abs, static_cast<Combine>(random.between(1, 6)), count};
    tester.check(c);
  }
}

TEST_CASE("box refuses problems that running sums cannot solve") {
  const auto reason = [](DType dtype, const KernelShape& k, float weight, const Params& params = {}) {
    Kernel kernel = kernel_of(k, std::vector<float>(static_cast<std::size_t>(k.count()), weight));
    return refusal("box", make_problem(dtype, {1, k.c_i_per_group, 300, 300}, k, params), kernel);
  };
  const auto mentions = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(reason(DType::u8, {1, 1, 9, 9}, 0.3F) == "");
  CHECK(mentions(reason(DType::f32, {1, 1, 9, 9}, 1), "float"));
  CHECK(mentions(reason(DType::u8, {1, 1, 9, 9}, 1, {.stride = {2, 1}}), "stride"));
  CHECK(mentions(reason(DType::u8, {1, 1, 9, 9}, 1, {.dilation = {1, 2}}), "dilation"));
  CHECK(mentions(reason(DType::u8, {1, 2, 3, 3}, 1), "channels"));
  CHECK(mentions(reason(DType::u16, {1, 1, 257, 1}, 1), "24 bits"));
  CHECK(mentions(reason(DType::u8, {1, 1, 3, 3}, 1, {.padding_mode = PaddingMode::constant, .padding_value = 0.5F}),
                 "padding value"));
  Kernel uneven = kernel_of({1, 1, 1, 2}, {1, 2});
  CHECK(mentions(refusal("box", make_problem(DType::u8, {1, 1, 9, 9}, uneven.shape, {}), uneven), "same"));
}

}  // namespace convtool
