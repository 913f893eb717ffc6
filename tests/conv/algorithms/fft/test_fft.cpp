// The algorithm `fft` beyond the reach of the tests of all algorithms: many tiles, large kernels, its own error bound,
// pixels that must not be transformed, and the problems that it refuses.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "conv/algorithms/fft/fft_tiling.h"
#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/params.h"
#include "support/values.h"

namespace convtool {
namespace {

std::string tiling_refusal(const ConvProblem& problem, const Kernel& kernel) {
  std::string reason;
  choose_fft_tiling(problem, kernel, &reason);
  return reason;
}

Kernel rough_kernel(const KernelShape& shape, Random& random) {
  return kernel_of(shape, floats(shape.count(), [&] { return random.rough(); }));
}

TEST_CASE("several tiles, and pictures that end near the end of a tile") {
  constexpr std::uint64_t kSeed = 81;
  ConvTester tester("tiles", kSeed, {{"fft", 27}}, Sets::in_turn);  // 3 sizes, 3 ends, 3 types
  Random random(kSeed);
  const KernelShape kernel{1, 1, 9, 6};
  for (const std::int64_t size : {1, 2, 3}) {  // of tiles, down and across
    // Pictures that fill this many tiles of 64x64, and a pixel less or more.
    for (const std::int64_t more : {-1, 0, 1}) {
      for (const DType dtype : kTypes) {
        const auto mode = static_cast<PaddingMode>(random.between(0, 5));
        const Params params{.padding = kSame, .padding_mode = mode, .padding_value = 2};
        const Shape shape{1, 1, size * (64 - 8) + more, size * (64 - 5) - more};
        const Numbers numbers = random.chance(2) ? Numbers::exact : Numbers::rough;
        ConvCase c = make_case({dtype, shape, kernel, params, numbers}, random);
        c.input_layout = random.pick(kLayouts);
        c.output_layout = random.pick(kLayouts);
        tester.check(c);
      }
    }
  }
}

TEST_CASE("large kernels, some larger than the picture") {
  constexpr std::uint64_t kSeed = 82;
  ConvTester tester("large kernels", kSeed, {{"fft", 15}}, Sets::in_turn);  // 5 rows, 3 types
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
      const auto mode = static_cast<PaddingMode>(random.between(3, 5));  // those that need no padding value
      const Numbers numbers = random.chance(2) ? Numbers::exact : Numbers::rough;
      const Params params{.dilation = row.dilation,
                          .padding = random.chance(2) ? kSame : kFull,
                          .padding_mode = mode,
                          .groups = row.input.c / row.kernel.c_i_per_group};
      ConvCase c = make_case({dtype, row.input, row.kernel, params, numbers}, random);
      c.output_dtype = random.pick(kTypes);
      c.map.scale = 1 / 64.0;
      tester.check(c);
    }
}

TEST_CASE("channels combined across groups, and more channels than fit memory at once") {
  constexpr std::uint64_t kSeed = 83;
  ConvTester tester("channels", kSeed, {{"fft", 13}}, Sets::in_turn);  // 4 rows, 3 types, and one
  Random random(kSeed);
  // Combined channels of one group, of halves of two groups, of three groups.
  for (const auto& [groups, outputs, combined] : {std::tuple{2, 4, 2}, {2, 3, 2}, {3, 1, 3}, {4, 3, 6}})
    for (const DType dtype : kTypes) {
      ConvCase c = make_case({dtype,
                              {2, 2 * groups, 40, 70},
                              {groups * outputs, 2, 5, 4},
                              Params{.padding = kSame, .groups = groups},
                              Numbers::exact},
                             random);
      c.epilogue = {Activation::none, Combine::max, combined};
      tester.check(c);
    }
  // Taps far apart make large tiles: 16 of them in double are more than a thread holds.
  ConvCase c =
      make_case({DType::u8, {1, 1, 210, 200}, {16, 1, 2, 2}, Params{.dilation = {150, 150}}, Numbers::exact}, random);
  c.epilogue = {Activation::none, Combine::sum, 2};
  REQUIRE(16 * 8 * choose_fft_tiling(c.problem, c.kernel)->tile.h * choose_fft_tiling(c.problem, c.kernel)->tile.w >=
          kMostFftTiles);
  tester.check(c);
}

TEST_CASE("the error of a whole picture, as a vector") {
  // The bound of a single pixel is that of the worst one. Taken together, as a vector, the errors of a tile are within
  //   (6 log2(P) + 4) u |x| sum|w|,  P pixels of a tile, |x| = (sum x^2)^(1/2) <= P^(1/2) max|x|,
  // since the relative error of each transform is 3 log2(P) u and no value of the spectrum of w exceeds sum|w|
  // (src/conv/algorithms/fft/fft_tiling.cpp).
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

TEST_CASE("pixels that must not be transformed") {
  // Tiles that hold such a pixel are summed directly, with the error of direct sums.
  constexpr std::uint64_t kSeed = 85;
  ConvTester tester("not for transforms", kSeed, {{"fft", 18}}, Sets::in_turn);  // 6 pixels, 3 kinds of channels
  Random random(kSeed);
  for (const float pixel : {kNan, kInf, -kInf, 1e25F, -1e36F, 1e-30F}) {
    for (const auto& [channels, groups] : {std::pair{1, 1}, {3, 1}, {3, 3}}) {
      ConvCase c = make_case({DType::f32,
                              {1, channels, 90, 100},
                              {2 * groups, channels / groups, 8, 9},
                              Params{.padding = kSame, .padding_mode = PaddingMode::replicate, .groups = groups},
                              Numbers::rough},
                             random);
      // Combined channels of several groups are computed together: one group must not hide the pixel of another.
      if (groups > 1) c.epilogue = {Activation::none, Combine::sum, 6};
      float* pixels = c.input.data<float>();
      if (std::fabs(pixel) < 1) {
        for (std::int64_t i = 0; i < c.input.shape().count(); ++i) pixels[i] *= pixel;  // all equally small
        std::fill(c.kernel.bias.begin(), c.kernel.bias.end(), 0.0F);
      } else {
        pixels[70 * 100 + 8] = pixel;
      }
      tester.check(c);
    }
  }
}

TEST_CASE("a pixel that must not be transformed changes no output whose window does not hold it") {
  // 1e25 among numbers below 1: a transform would spread its rounding error over the tile.
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

TEST_CASE("whole sums of large tiles, close to the largest that are accepted") {
  Random random(87);
  const Tensor x = filled(DType::u16, {1, 1, 130, 140}, [&] { return random.between(65000, 65535); });
  for (const std::int64_t weight : {1, 255, 4095}) {
    for (const float unit : {1.0F, 0x1p-5F}) {
      const Kernel kernel = kernel_of(
          {1, 1, 33, 31}, floats(33 * 31, [&] { return static_cast<float>(weight - random.between(0, 3)) * unit; }));
      const ConvProblem problem = make_problem(DType::u16, x.shape(), kernel.shape, {});
      REQUIRE(tiling_refusal(problem, kernel).empty());
      CHECK(choose_fft_tiling(problem, kernel)->whole_bits == (unit == 1.0F ? 0 : 5));
      const Tensor got = convolve(x.ref(), kernel, {}, "fft"), expected = convolve(x.ref(), kernel, {}, "reference");
      CHECK(values_of(got.ref()) == values_of(expected.ref()));  // reference is exact in double
    }
  }
}

TEST_CASE("fft refuses problems outside its bound, with the reason") {
  const auto reason = [](DType dtype, const Shape& shape, const KernelShape& k, float weight,
                         const Params& params = {}) {
    const Kernel kernel = kernel_of(k, std::vector<float>(static_cast<std::size_t>(k.count()), weight));
    return tiling_refusal(make_problem(dtype, shape, k, params), kernel);
  };
  const Shape shape{1, 1, 400, 400};
  CHECK(reason(DType::f32, shape, {1, 1, 9, 9}, 0.3F).empty());
  CHECK(reason(DType::f32, shape, {1, 1, 9, 9}, 0.0F).empty());
  CHECK(reason(DType::f32, shape, {1, 1, 9, 9}, 0.3F, {.stride = {1, 2}}).find("stride") != std::string::npos);
  for (const float weight : {kInf, -kInf, std::nanf(""), 1e30F, 1e-30F, 1e-42F})
    for (const DType dtype : kTypes)
      CHECK(reason(dtype, shape, {1, 1, 9, 9}, weight).find("not finite") != std::string::npos);
  for (const float padding : {kInf, std::nanf(""), 1e30F, 1e-30F}) {
    const Params params{.padding = kSame, .padding_mode = PaddingMode::constant, .padding_value = padding};
    for (const DType dtype : kTypes)
      CHECK(reason(dtype, shape, {1, 1, 9, 9}, 0.3F, params).find("not finite") != std::string::npos);
  }
  CHECK(reason(DType::f32, {1, 1, 5000, 5000}, {1, 1, 2, 2}, 0.3F, {.dilation = {4000, 4000}}).find("memory") !=
        std::string::npos);
  CHECK(reason(DType::f32, {1, 64, 200, 200}, {64, 64, 100, 100}, 0.3F).find("memory") != std::string::npos);
  // Two taps far apart: the error of a large tile for a sum of two products.
  CHECK(reason(DType::f32, shape, {1, 1, 2, 2}, 0.3F, {.dilation = {200, 200}}).find("number of weights") !=
        std::string::npos);
  // In double, 2^-52 of 2^16 * 2^16 * 81 is far below a half, but not of 2^16 * 2^33 * 81.
  CHECK(reason(DType::u16, shape, {1, 1, 9, 9}, 0x1p16F).empty());
  CHECK(reason(DType::u16, shape, {1, 1, 9, 9}, 0x1p33F).find("exactly") != std::string::npos);
}

TEST_CASE("fft is chosen for large kernels of full rank, and not for small ones") {
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
