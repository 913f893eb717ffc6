// The algorithm `separable` against `reference`, on kernels of rank 1 to 3, which random weights hardly ever have.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/params.h"
#include "support/values.h"

namespace convtool {
namespace {

/// Replaces the weights of a case by sums of `rank` outer products, one sum per channel or the same for all. Exact
/// cases get small integers, in eighths for float pictures.
void make_separable(ConvCase& c, int rank, bool same, Random& random) {
  const KernelShape& k = c.problem.kernel;
  const double unit = c.exact && !is_integer(c.problem.input_dtype) ? 0.125 : 1;
  const auto number = [&] {
    return c.exact ? static_cast<double>(random.between(-4, 4)) : 1.25 + static_cast<double>(random.rough());
  };
  for (std::int64_t o = 0; o < (same ? 1 : k.c_o); ++o) {
    std::vector<double> sum(static_cast<std::size_t>(k.kh * k.kw));
    for (int r = 0; r < rank; ++r) {
      std::vector<double> column, row;
      for (std::int64_t u = 0; u < k.kh; ++u) column.push_back(number());
      for (std::int64_t v = 0; v < k.kw; ++v) row.push_back(number());
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += unit * column[i / row.size()] * row[i % row.size()];
    }
    std::copy(sum.begin(), sum.end(), c.kernel.weights.begin() + o * k.taps());
  }
  if (!same) return;
  // Makes interleaved pictures one flat row.
  std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), c.kernel.bias[0]);
  for (std::int64_t o = 1; o < k.c_o; ++o)
    std::copy_n(c.kernel.weights.begin(), k.taps(), c.kernel.weights.begin() + o * k.taps());
}

TEST_CASE("separable kernels of every kind") {
  constexpr std::uint64_t kSeed = 81;
  // 700 cases. Kernels of rank 2 or 3 (4 in 9) are refused where they are too small to gain from it; u16 ones (a third)
  // where they are so large that float sums do not suffice.
  ConvTester tester("separable", kSeed, {{"separable", 300}});
  Random random(kSeed);
  for (int turn = 0; turn < 700; ++turn) {
    const std::int64_t channels = random.chance(2) ? 1 : random.between(2, 5);
    const std::int64_t count = random.chance(4) ? random.between(2, 3) : 1;  // kernels for each channel
    const KernelShape kernel{channels * count, 1, random.between(2, 12), random.between(2, random.chance(4) ? 70 : 12)};
    const bool plain = random.chance(2);
    const auto step = [&] { return plain ? 1 : random.between(1, 3); };
    const Params params{
        .stride = {step(), step()},
        .dilation = {step(), step()},
        .padding = random.chance(2) ? kSame : kFull,
        .padding_mode = random.pick(std::vector{PaddingMode::zeros, PaddingMode::constant, PaddingMode::symmetric,
                                                PaddingMode::replicate, PaddingMode::circular}),
        .padding_value = static_cast<float>(random.between(-4, 300)),
        .groups = channels};
    const Shape input{random.between(1, 2), channels, random.between(1, 30), random.between(1, 90)};
    ConvCase c = make_case(
        {random.pick(kTypes), input, kernel, params, random.chance(3) ? Numbers::exact : Numbers::rough}, random);
    const int rank = c.exact ? 1 : static_cast<int>(random.between(1, 3));
    make_separable(c, rank, random.chance(2), random);
    if (count > 1 && random.chance(2)) c.epilogue = {Activation::none, Combine::magnitude, count};
    c.output_dtype = random.pick(kTypes);
    c.input_layout = random.pick(kLayouts);
    c.output_layout = random.chance(2) ? c.input_layout : random.pick(kLayouts);
    tester.check(c);
  }
}

/// A picture of three tiles, the last one a few columns wide.
ConvCase wide_case(DType dtype, std::int64_t channels, std::int64_t rows, const Extent& size, Random& random,
                   std::int64_t width = 0) {
  if (width == 0) width = channels == 1 ? 8197 : 2732;
  ConvCase c =
      make_case({dtype,
                 {1, channels, rows, width},
                 {channels, 1, size.h, size.w},
                 Params{.padding = kSame,
                        .padding_mode = random.pick(std::vector{PaddingMode::circular, PaddingMode::symmetric}),
                        .groups = channels},
                 Numbers::rough},
                random);
  make_separable(c, size.h == 9 ? 2 : 1, true, random);
  for (float& weight : c.kernel.weights) weight /= 64;  // keeps sums of u16 below 2^24
  c.input_layout = c.output_layout = Layout::interleaved;
  return c;
}

TEST_CASE("separable pictures of several tiles") {
  constexpr std::uint64_t kSeed = 82;
  ConvTester tester("separable tiles", kSeed, {{"separable", 26}}, Sets::in_turn);  // 3 types, 2 channels, 3 sizes; 8
  Random random(kSeed);
  for (const DType dtype : kTypes)
    for (const std::int64_t channels : {1, 3})
      for (const Extent size : {Extent{61, 3}, Extent{5, 7}, Extent{9, 9}})
        tester.check(wide_case(dtype, channels, 11, size, random));
  // Borders that show columns just inside and just outside the window of a tile.
  for (const std::int64_t more : {0, 1, 2, 3, 4, 5, 6, 7})
    tester.check(wide_case(DType::u8, 1, 3, {5, 7}, random, 4096 + more));
}

TEST_CASE("the bits do not depend on where threads meet in a tile") {
  Random random(84);
  for (const Extent size : {Extent{61, 41}, Extent{5, 7}, Extent{9, 9}, Extent{20, 20}}) {
    ConvCase c = wide_case(DType::f32, 1, 45, size, random);
    if (size.h == 20) std::fill(c.kernel.weights.begin(), c.kernel.weights.end(), 0.3F);
    std::vector<std::vector<double>> results;
    for (const int threads : {1, 2, 3, 5}) {
      const ConvPlan plan(c.problem, c.kernel, {}, {.algorithm = "separable", .threads = threads});
      CHECK(plan.threads() == threads);
      Tensor output(DType::f32, plan.output_shape());
      plan.run(c.input.ref(), output.ref());
      results.push_back(values_of(output.ref()));
    }
    for (const std::vector<double>& result : results) CHECK(result == results[0]);
  }
}

TEST_CASE("boxes of every size") {
  constexpr std::uint64_t kSeed = 85;
  // About 13 heights and 13 widths. `separable` accepts f32, and integers while sums stay below 2^24: at most 66000
  // taps of u8, 255 of u16 with weight 1. `box` accepts the same integers at stride and dilation 1, a little less than
  // half.
  ConvTester tester("boxes", kSeed, {{"separable", 120}, {"box", 30}});
  Random random(kSeed);
  for (std::int64_t kh = 2; kh <= 40; kh += random.between(1, 5))
    for (std::int64_t kw = 2; kw <= 40; kw += random.between(1, 5)) {
      const std::int64_t channels = random.chance(3) ? 3 : 1;
      ConvCase c = make_case({random.pick(kTypes),
                              {1, channels, random.between(1, 20), random.between(1, 60)},
                              {channels, 1, kh, kw},
                              Params{.stride = {random.chance(4) ? 2 : 1, random.chance(4) ? 2 : 1},
                                     .dilation = {random.chance(6) ? 2 : 1, random.chance(6) ? 3 : 1},
                                     .padding = kFull,
                                     .padding_mode = random.chance(2) ? PaddingMode::zeros : PaddingMode::replicate,
                                     .groups = channels},
                              Numbers::rough},
                             random);
      const auto weight = random.chance(2) ? 1.0F : random.rough();
      c.exact = is_integer(c.problem.input_dtype) && weight == 1;
      std::fill(c.kernel.weights.begin(), c.kernel.weights.end(), weight);
      std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 3.0F);
      c.input_layout = c.output_layout = random.pick(kLayouts);
      if (c.problem.input_dtype == DType::f32 && random.chance(3))
        c.input.data<float>()[random.between(0, c.input.shape().count() - 1)] = std::numeric_limits<float>::infinity();
      tester.check(c);
    }
}

TEST_CASE("NaN and infinities under separable kernels") {
  constexpr std::uint64_t kSeed = 83;
  const std::vector<float> kBad = {kNan, kInf, -kInf};
  ConvTester tester("separable, not finite", kSeed, {{"separable", 120}}, Sets::in_turn);  // 200, as above
  Random random(kSeed);
  for (int turn = 0; turn < 200; ++turn) {
    const KernelShape kernel{3, 1, random.between(2, 14), random.between(2, 24)};
    ConvCase c = make_case({DType::f32,
                            {1, 3, random.between(3, 20), random.between(3, 60)},
                            kernel,
                            Params{.padding = kSame, .padding_mode = PaddingMode::replicate, .groups = 3},
                            random.chance(2) ? Numbers::exact : Numbers::rough},
                           random);
    const int rank = c.exact ? 1 : static_cast<int>(random.between(1, 3));
    make_separable(c, rank, random.chance(2), random);
    for (std::int64_t spot = random.between(1, 6); spot > 0; --spot)
      c.input.data<float>()[random.between(0, c.input.shape().count() - 1)] = random.pick(kBad);
    c.input_layout = c.output_layout = random.pick(kLayouts);
    tester.check(c);
  }
}

TEST_CASE("pixels near the largest float do not overflow between the passes") {
  constexpr float kLargest = std::numeric_limits<float>::max();
  for (const float scale : {1.0F / 256, 0.01F}) {
    const Kernel kernel = kernel_of({1, 1, 9, 9}, std::vector<float>(81, scale));
    const Tensor input = filled(DType::f32, {1, 1, 20, 40}, [] { return kLargest; });
    for (const double value : values_of(convolve(input.ref(), kernel, {}, "separable").ref()))
      CHECK(value == doctest::Approx(static_cast<double>(kLargest) * 81 * static_cast<double>(scale)).epsilon(1e-5));
  }
}

}  // namespace
}  // namespace convtool
