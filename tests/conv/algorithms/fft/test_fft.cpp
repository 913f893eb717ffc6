// The algorithm `fft` where the tests of all algorithms do not reach: many tiles, large kernels, its own error bound,
// pixels that no transform may see, and what it refuses.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "conv/algorithms/fft/fft_tiling.h"
#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/params.h"

namespace convtool {
namespace {

constexpr DType kTypes[] = {DType::u8, DType::u16, DType::f32};

std::string refusal(const ConvProblem& problem, const Kernel& kernel) {
  std::string reason;
  choose_fft_tiling(problem, kernel, &reason);
  return reason;
}

Kernel rough_kernel(const KernelShape& shape, Random& random) {
  return kernel_of(shape, floats(shape.count(), [&] { return random.rough(); }));
}

TEST_CASE("more tiles than one, and pictures that end near the end of one") {
  constexpr std::uint64_t kSeed = 81;
  ConvTester tester("tiles", kSeed);
  Random random(kSeed);
  const KernelShape kernel{1, 1, 9, 6};
  for (const std::int64_t size : {1, 2, 3}) {  // of tiles, down and across
    // What fills this many tiles of the kind that is chosen, and a pixel less or more.
    for (const std::int64_t more : {-1, 0, 1}) {
      for (const DType dtype : kTypes) {
        const auto mode = static_cast<PaddingMode>(random.between(0, 5));
        const Params params{.padding = kSame, .padding_mode = mode, .padding_value = 2};
        const Shape shape{1, 1, size * (64 - 8) + more, size * (64 - 5) - more};
        const Numbers numbers = random.chance(2) ? Numbers::exact : Numbers::rough;
        ConvCase c = make_case(dtype, shape, kernel, params, numbers, random);
        c.input_layout = random.pick(kLayouts);
        c.output_layout = random.pick(kLayouts);
        tester.check(c);
      }
    }
  }
}

TEST_CASE("large kernels, larger than the picture too") {
  constexpr std::uint64_t kSeed = 82;
  ConvTester tester("large kernels", kSeed);
  Random random(kSeed);
  struct Row {
    Shape input;
    KernelShape kernel;
    Extent dilation;
  };
  const Row rows[] = {{{1, 1, 40, 61}, {1, 1, 31, 33}, {1, 1}},
                      {{1, 2, 12, 20}, {1, 2, 25, 40}, {1, 1}},
                      {{1, 3, 20, 40}, {3, 1, 1, 65}, {1, 1}},
                      {{1, 1, 70, 20}, {2, 1, 70, 3}, {1, 2}},
                      {{2, 1, 60, 50}, {1, 1, 5, 7}, {9, 8}}};
  for (const Row& row : rows)
    for (const DType dtype : kTypes) {
      const auto mode = static_cast<PaddingMode>(random.between(3, 5));  // the rest need not repeat
      const Numbers numbers = random.chance(2) ? Numbers::exact : Numbers::rough;
      const Params params{.dilation = row.dilation,
                          .padding = random.chance(2) ? kSame : kFull,
                          .padding_mode = mode,
                          .groups = row.input.c / row.kernel.c_i_per_group};
      ConvCase c = make_case(dtype, row.input, row.kernel, params, numbers, random);
      c.output_dtype = random.pick(kTypes);
      c.map.scale = 1 / 64.0;
      tester.check(c);
    }
}

TEST_CASE("channels that are combined across groups, and more channels than fit memory at once") {
  constexpr std::uint64_t kSeed = 83;
  ConvTester tester("channels", kSeed);
  Random random(kSeed);
  // Joined channels of one group, of two halves of a group, of three groups.
  for (const auto& [groups, outputs, joined] : {std::tuple{2, 4, 2}, {2, 3, 2}, {3, 1, 3}, {4, 3, 6}})
    for (const DType dtype : kTypes) {
      ConvCase c = make_case(dtype, {2, 2 * groups, 40, 70}, {groups * outputs, 2, 5, 4},
                             Params{.padding = kSame, .groups = groups}, Numbers::exact, random);
      c.epilogue = {Activation::none, Combine::max, joined};
      tester.check(c);
    }
  // Taps far apart make large tiles: 16 of them in double are more than a thread holds.
  ConvCase c =
      make_case(DType::u8, {1, 1, 210, 200}, {16, 1, 2, 2}, Params{.dilation = {150, 150}}, Numbers::exact, random);
  c.epilogue = {Activation::none, Combine::sum, 2};
  REQUIRE(16 * 8 * choose_fft_tiling(c.problem, c.kernel)->tile.h * choose_fft_tiling(c.problem, c.kernel)->tile.w >=
          kMostFftTiles);
  tester.check(c);
}

TEST_CASE("the error as a whole") {
  // What tests pixel by pixel allow is for the worst one. All together, as a vector, the errors of a tile are within
  //   (6 log2(P) + 4) u |x| sum|w|,  P pixels of a tile, |x| = (sum x^2)^(1/2) <= P^(1/2) max|x|,
  // since each transform errs by 3 log2(P) u of what it transforms, and no value of the spectrum of w is larger than
  // sum|w| (src/conv/algorithms/fft/fft_tiling.cpp).
  Random random(84);
  for (const auto& [size, k] : {std::pair{150, 15}, {210, 31}, {150, 64}}) {
    const Tensor x = filled(DType::f32, {1, 1, size, size + 13}, [&] { return random.rough(); });
    const Kernel kernel = rough_kernel({1, 1, k, k}, random);
    const Params params{.padding = kSame, .padding_mode = PaddingMode::circular};
    const FftTiling tiling =
        choose_fft_tiling(make_problem(DType::f32, x.shape(), kernel.shape, params), kernel).value();
    REQUIRE(!tiling.whole_bits);
    const auto got = values_of(convolve(x.ref(), kernel, params, "fft").ref());
    const auto expected = values_of(convolve(x.ref(), kernel, params, "reference").ref());
    double squares = 0, weights = 0;
    for (std::size_t i = 0; i < got.size(); ++i) squares += (got[i] - expected[i]) * (got[i] - expected[i]);
    for (const float weight : kernel.weights) weights += std::fabs(static_cast<double>(weight));
    const auto pixels = static_cast<double>(tiling.tile.h * tiling.tile.w);
    const auto tiles = static_cast<double>(tiling.count.h * tiling.count.w);
    const double bound = (6 * std::log2(pixels) + 4) * 0x1p-24 * std::sqrt(tiles * pixels) * weights;
    const double of_expected = 0x1p-24 * weights * std::sqrt(static_cast<double>(got.size()));  // stored as floats
    MESSAGE(k << "x" << k << ": error " << std::sqrt(squares) << ", bound " << bound);
    CHECK(std::sqrt(squares) <= bound + of_expected);
  }
}

TEST_CASE("pixels that no transform may see") {
  // Within reach of such a pixel the result is that of direct sums, with their error, elsewhere that of fft.
  constexpr std::uint64_t kSeed = 85;
  constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  ConvTester tester("not for transforms", kSeed);
  Random random(kSeed);
  for (const float pixel : {kNan, kInf, -kInf, 1e25F, -1e36F, 1e-30F}) {
    for (const std::int64_t channels : {1, 3}) {
      ConvCase c = make_case(DType::f32, {1, channels, 90, 100}, {2, channels, 8, 9},
                             Params{.padding = kSame, .padding_mode = PaddingMode::replicate}, Numbers::rough, random);
      float* pixels = c.input.data<float>();
      if (std::fabs(pixel) < 1) {
        for (std::int64_t i = 0; i < c.input.shape().count(); ++i) pixels[i] *= pixel;  // all of them as small
        c.kernel.bias = {0, 0};
      } else {
        pixels[70 * 100 + 8] = pixel;
      }
      tester.check(c);
    }
  }
}

TEST_CASE("a pixel that no transform may see leaves other tiles and small values alone") {
  // 1e25 beside rough numbers: direct sums know nothing of it where they do not see it, a transform would smear it.
  Random random(86);
  Tensor x = filled(DType::f32, {1, 1, 100, 120}, [&] { return random.rough(); });
  const Kernel kernel = rough_kernel({1, 1, 9, 9}, random);
  const auto reference = [&] { return values_of(convolve(x.ref(), kernel, {}, "reference").ref()); };
  const std::vector<double> before = reference();
  x.data<float>()[50 * 120 + 60] = 1e25F;
  const std::vector<double> got = values_of(convolve(x.ref(), kernel, {}, "fft").ref()), expected = reference();
  std::int64_t seeing = 0, wrong = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    seeing += expected[i] != before[i];
    wrong += expected[i] == before[i] && std::fabs(got[i] - expected[i]) > 4100 * 0x1p-24 * 81;
  }
  CHECK(seeing == 81);
  CHECK(wrong == 0);
}

TEST_CASE("whole sums of large tiles, as large as they may become") {
  Random random(87);
  const Tensor x = filled(DType::u16, {1, 1, 130, 140}, [&] { return random.between(65000, 65535); });
  for (const std::int64_t weight : {1, 255, 4095}) {
    for (const float unit : {1.0F, 0x1p-5F}) {
      const Kernel kernel = kernel_of(
          {1, 1, 33, 31}, floats(33 * 31, [&] { return static_cast<float>(weight - random.between(0, 3)) * unit; }));
      const ConvProblem problem = make_problem(DType::u16, x.shape(), kernel.shape, {});
      REQUIRE(refusal(problem, kernel).empty());
      CHECK(choose_fft_tiling(problem, kernel)->whole_bits == (unit == 1.0F ? 0 : 5));
      const Tensor got = convolve(x.ref(), kernel, {}, "fft"), expected = convolve(x.ref(), kernel, {}, "reference");
      CHECK(values_of(got.ref()) == values_of(expected.ref()));  // reference is exact in double
    }
  }
}

TEST_CASE("what it refuses, and why") {
  const auto reason = [](DType dtype, const Shape& shape, const KernelShape& k, float weight,
                         const Params& params = {}) {
    const Kernel kernel = kernel_of(k, std::vector<float>(static_cast<std::size_t>(k.count()), weight));
    return refusal(make_problem(dtype, shape, k, params), kernel);
  };
  const Shape shape{1, 1, 400, 400};
  constexpr float kInf = std::numeric_limits<float>::infinity();
  CHECK(reason(DType::f32, shape, {1, 1, 9, 9}, 0.3F).empty());
  CHECK(reason(DType::f32, shape, {1, 1, 9, 9}, 0.0F).empty());
  CHECK(reason(DType::f32, shape, {1, 1, 9, 9}, 0.3F, {.stride = {1, 2}}).find("stride") != std::string::npos);
  for (const float weight : {kInf, -kInf, std::nanf(""), 1e30F, 1e-30F, 1e-42F})
    for (const DType dtype : kTypes)
      CHECK(reason(dtype, shape, {1, 1, 9, 9}, weight).find("so undefined") != std::string::npos);
  for (const float padding : {kInf, std::nanf(""), 1e30F, 1e-30F}) {
    const Params params{.padding = kSame, .padding_mode = PaddingMode::constant, .padding_value = padding};
    for (const DType dtype : kTypes)
      CHECK(reason(dtype, shape, {1, 1, 9, 9}, 0.3F, params).find("so undefined") != std::string::npos);
  }
  CHECK(reason(DType::f32, {1, 1, 5000, 5000}, {1, 1, 2, 2}, 0.3F, {.dilation = {4000, 4000}}).find("memory") !=
        std::string::npos);
  CHECK(reason(DType::f32, {1, 64, 200, 200}, {64, 64, 100, 100}, 0.3F).find("memory") != std::string::npos);
  // Two far taps: the error of a large tile for the sum of little.
  CHECK(reason(DType::f32, shape, {1, 1, 2, 2}, 0.3F, {.dilation = {200, 200}}).find("so few weights") !=
        std::string::npos);
  // In double, 2^-52 of 2^16 * 2^16 * 81 is far below a half, but not of 2^16 * 2^33 * 81.
  CHECK(reason(DType::u16, shape, {1, 1, 9, 9}, 0x1p16F).empty());
  CHECK(reason(DType::u16, shape, {1, 1, 9, 9}, 0x1p33F).find("whole sums") != std::string::npos);
}

TEST_CASE("it is chosen for large kernels of full rank, and not for small ones") {
  Random random(88);
  const auto chosen = [&](DType dtype, std::int64_t k) {
    const Kernel kernel = rough_kernel({1, 1, k, k}, random);
    const ConvProblem problem = make_problem(dtype, {1, 1, 2160, 3840}, kernel.shape, Params{.padding = kSame});
    return ConvPlan(problem, kernel, {}, {}).algorithm();
  };
  for (const DType dtype : kTypes) {
    CHECK(chosen(dtype, 3) != "fft");
    CHECK(chosen(dtype, 63) == "fft");
    CHECK(chosen(dtype, 127) == "fft");
  }
}

}  // namespace
}  // namespace convtool
