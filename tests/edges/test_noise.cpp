// Flat areas have no edges, and what is an edge stays one.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "edges/edge_plan.h"
#include "edges/noise.h"
#include "kernels/kernel_source.h"
#include "kernels/smoothed.h"
#include "support/convolve.h"

namespace convtool {
namespace {

constexpr const char* kEveryOperator[] = {"sobel", "scharr", "prewitt",   "roberts",
                                          "farid", "kirsch", "frei-chen", "log"};

/// As the option --sigma: the sigma of a Laplacian of a Gaussian is its own.
EdgeRecipe blurred_recipe(const std::string& name, double sigma) {
  EdgeRecipe recipe;
  const bool is_log = name == "log" && sigma > 0;
  recipe.kernels = load_kernel(is_log ? "log:sigma=" + std::to_string(sigma) : name).banks.front();
  if (sigma > 0 && !is_log) recipe.kernels = smoothed(recipe.kernels, sigma);
  return recipe;
}

struct FoundEdges {
  std::vector<double> values;
  EdgeResult result;
};

FoundEdges find_edges(const EdgeRecipe& recipe, const Tensor& picture, const std::string& algorithm = "auto") {
  const EdgePlan plan(recipe, picture.dtype(), picture.shape(), {.algorithm = algorithm, .threads = 1});
  Tensor output(DType::f32, plan.output_shape());
  const EdgeResult result = plan.run(picture.ref(), picture.ref(), output.ref(), {});
  return {values_of(output.ref()), result};
}

std::int64_t count_nonzero(const std::vector<double>& values) {
  return std::ssize(values) - std::count(values.begin(), values.end(), 0.0);
}

std::int64_t reach_of(const EdgeRecipe& recipe) { return recipe.kernels.layers.front().shape.kw / 2 + 1; }

/// Calls use(recipe) for all operators, with and without blurs.
template <class Use>
void for_each_blurred(const Use& use) {
  for (const char* name : kEveryOperator)
    for (const double sigma : {0.0, 0.8, 1.4, 3.0, 5.5}) {
      const std::string text = std::string(name) + " sigma " + std::to_string(sigma);
      CAPTURE(text);
      use(blurred_recipe(name, sigma));
    }
}

struct Flat {
  DType dtype;
  double value;
};
constexpr Flat kFlats[] = {{DType::u8, 1},      {DType::u8, 100},    {DType::u8, 255},     {DType::u16, 3},
                           {DType::u16, 40000}, {DType::u16, 65535}, {DType::f32, 0.1},    {DType::f32, -1e-20},
                           {DType::f32, 1e10},  {DType::f32, 1e-42}, {DType::f32, 0.33333}};

TEST_CASE("the edges of a constant picture are exactly 0") {
  for_each_blurred([](EdgeRecipe recipe) {
    for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{1, 1, 7, 5}, Shape{1, 1, 61, 130}})
      for (const Flat& flat : kFlats) {
        const Tensor picture = filled(flat.dtype, shape, [&] { return flat.value; });
        CAPTURE(flat.value);
        recipe.thin = false;
        recipe.hysteresis.reset();
        recipe.kind = EdgeKind::magnitude;
        CHECK(count_nonzero(find_edges(recipe, picture).values) == 0);
        recipe.thin = recipe.has_gradient() || recipe.is_laplacian();
        recipe.kind = EdgeKind::binary;
        for (const auto source : {ThresholdRule::Source::otsu, ThresholdRule::Source::response}) {
          recipe.hysteresis = ThresholdRule{.source = source};  // thresholds of 0, if they are given
          CHECK(find_edges(recipe, picture).result.edge_pixels == 0);
        }
        recipe.hysteresis.reset();
        recipe.thin = false;
        if (!recipe.has_gradient()) continue;
        recipe.kind = EdgeKind::orientation;
        CHECK(count_nonzero(find_edges(recipe, picture).values) == 0);
        recipe.kind = EdgeKind::components;
        CHECK(count_nonzero(find_edges(recipe, picture).values) == 0);
      }
  });
}

TEST_CASE("every algorithm gives 0 on a constant picture") {
  const Tensor picture = filled(DType::u8, {1, 1, 61, 130}, [] { return 100.0; });
  const EdgeRecipe recipe = blurred_recipe("sobel", 1.4);
  for (const char* algorithm : {"reference", "direct", "rows", "packed", "separable", "fft"}) {
    CAPTURE(std::string(algorithm));
    CHECK(count_nonzero(find_edges(recipe, picture, algorithm).values) == 0);
  }
}

TEST_CASE("a flat frame around noise has no edges and no angles beyond the reach of the kernels") {
  constexpr std::int64_t kSide = 120, kFrame = 40;
  for (const DType dtype : {DType::u8, DType::u16, DType::f32}) {
    Random random(5);
    const double full = dtype == DType::f32 ? 1 : full_range(dtype);
    std::int64_t at = 0;
    const auto in_frame = [&](std::int64_t i, std::int64_t margin) {
      const std::int64_t y = i / kSide, x = i % kSide;
      return std::min({y, x, kSide - 1 - y, kSide - 1 - x}) < kFrame - margin;
    };
    const Tensor picture = filled(dtype, {1, 1, kSide, kSide}, [&] {
      const double noise = full * static_cast<double>(random.between(0, 1000)) / 1000;
      return in_frame(at++, 0) ? full * 0.7 : std::floor(noise);
    });
    for_each_blurred([&](EdgeRecipe recipe) {
      for (const EdgeKind kind : {EdgeKind::magnitude, EdgeKind::orientation}) {
        recipe.kind = kind;
        if (kind == EdgeKind::orientation && !recipe.has_gradient()) continue;
        const std::vector<double> values = find_edges(recipe, picture).values;
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < kSide * kSide; ++i)
          wrong += in_frame(i, reach_of(recipe)) && values[static_cast<std::size_t>(i)] != 0;
        CHECK(wrong == 0);
        CHECK(count_nonzero(values) > 0);
      }
    });
  }
}

TEST_CASE("a step of one level is one edge, of the strength that the definition gives") {
  constexpr std::int64_t kHeight = 40, kWidth = 90, kStep = 45;
  for (const DType dtype : {DType::u8, DType::u16})
    for (const double sigma : {0.8, 1.4, 3.0}) {
      std::int64_t at = 0;
      const Tensor picture =
          filled(dtype, {1, 1, kHeight, kWidth}, [&] { return at++ % kWidth < kStep ? 100.0 : 101.0; });
      EdgeRecipe recipe = blurred_recipe("sobel", sigma);
      // The strength at a column is the sum of the weights that see the brighter side.
      const Layer& x_kernel = recipe.kernels.layers.front();
      const std::int64_t side = x_kernel.shape.kw, half = side / 2;
      const std::vector<double> strengths = find_edges(recipe, picture).values;
      for (std::int64_t x = 0; x < kWidth; ++x) {
        double expected = 0, sum = 0;
        for (std::int64_t u = 0; u < side; ++u)
          for (std::int64_t v = 0; v < side; ++v) {
            const auto weight = static_cast<double>(x_kernel.weights[static_cast<std::size_t>(u * side + v)]);
            sum += std::fabs(weight);
            if (std::clamp<std::int64_t>(x + v - half, 0, kWidth - 1) >= kStep) expected += weight;
          }
        // src/conv/error_bound.cpp. A response within the bound becomes 0, which doubles the error there.
        const double bound = 2 * static_cast<double>(side * side + 8) * 0x1p-24 * 101 * sum;
        CHECK(std::fabs(strengths[static_cast<std::size_t>(20 * kWidth + x)] - std::fabs(expected)) <= bound);
      }
      recipe.thin = true;
      recipe.hysteresis = ThresholdRule{.source = ThresholdRule::Source::response};
      recipe.kind = EdgeKind::binary;
      CHECK(find_edges(recipe, picture).result.edge_pixels == kHeight);
    }
}

TEST_CASE("a huge float, a NaN or an infinity changes only the edges that its window reaches") {
  constexpr std::int64_t kSide = 150, kBlocks = 2 * 16;  // the bound is that of blocks of 16 pixels
  const auto picture_with = [&](double corner) {
    std::int64_t at = 0;
    return filled(DType::f32, {1, 1, kSide, kSide}, [&] {
      const std::int64_t i = at++;
      return i == 0 ? corner : i % kSide < kSide * 3 / 4 ? 0.0 : 1e-3;
    });
  };
  for (const char* name : {"sobel", "kirsch", "log"}) {
    const EdgeRecipe recipe = blurred_recipe(name, 4);
    const std::vector<double> plain = find_edges(recipe, picture_with(0)).values;
    const std::int64_t reach = reach_of(recipe) + kBlocks;
    for (const double corner : {1e20, -3e38, std::numeric_limits<double>::infinity(), std::nan("")}) {
      const std::vector<double> with_outlier = find_edges(recipe, picture_with(corner)).values;
      std::int64_t compared = 0, different = 0;
      for (std::int64_t y = 0; y < kSide; ++y)
        for (std::int64_t x = 0; x < kSide; ++x) {
          if (y <= reach && x <= reach) continue;
          const auto i = static_cast<std::size_t>(y * kSide + x);
          compared += plain[i] > 0;
          different += plain[i] != with_outlier[i];
        }
      CAPTURE(std::string(name));
      CAPTURE(corner);
      CHECK(compared > kSide);
      CHECK(different == 0);
    }
  }
}

TEST_CASE("constant padding counts only where a window leaves the picture") {
  EdgeRecipe recipe = blurred_recipe("sobel", 1);
  for (Layer& layer : recipe.kernels.layers) {
    layer.params.padding_mode = PaddingMode::constant;
    layer.params.padding_value = 1e6F;
  }
  std::int64_t at = 0;
  const Tensor picture = filled(DType::f32, {1, 1, 120, 120}, [&] { return at++ % 120 < 60 ? 0.2 : 0.21; });
  const std::vector<double> strengths = find_edges(recipe, picture).values;
  CHECK(strengths[60 * 120 + 60] > 0.02);
  CHECK(strengths[60 * 120 + 90] == 0);
}

TEST_CASE("the zero crossing of a step stays, for the widest blurs") {
  for (const double sigma : {2.0, 6.0, 10.0, 20.0})
    for (const double rise : {1.0, 3.0, 40.0}) {
      std::int64_t at = 0;
      const Tensor picture = filled(DType::u8, {1, 1, 60, 300}, [&] { return at++ % 300 < 150 ? 200.0 : 200 + rise; });
      EdgeRecipe recipe = blurred_recipe("log", sigma);
      recipe.thin = true;
      recipe.kind = EdgeKind::binary;
      recipe.hysteresis = ThresholdRule{.source = ThresholdRule::Source::response};
      CAPTURE(sigma);
      CAPTURE(rise);
      CHECK(find_edges(recipe, picture).result.edge_pixels == 60);
    }
}

TEST_CASE("values that are not finite stay, and clear nothing around them") {
  const Bank bank = smoothed(load_kernel("sobel").banks.front(), 1.4);
  const BankPlan plan(bank, DType::f32, {1, 1, 40, 40}, false, {.direct_error = true});
  Tensor picture = filled(DType::f32, {1, 1, 40, 40}, [] { return 1.0; });
  picture.data<float>()[20 * 40 + 20] = std::numeric_limits<float>::infinity();
  Tensor responses = filled(DType::f32, {1, 1, 40, 40}, [] { return 0.5; });
  responses.data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  responses.data<float>()[1] = std::numeric_limits<float>::infinity();
  clear_noise(plan.plans().front(), std::as_const(picture).ref(), responses.ref(), 1);
  CHECK(std::isnan(responses.data<float>()[0]));
  CHECK(std::isinf(responses.data<float>()[1]));
  CHECK(responses.data<float>()[20 * 40 + 20] == 0.5F);
}

}  // namespace
}  // namespace convtool
