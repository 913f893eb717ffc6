// Whole recipes: how their kinds of output relate to each other, for every operator, colour rule and stage.
#include <doctest/doctest.h>

#include <cmath>
#include <iostream>
#include <optional>

#include "edges/edge_plan.h"
#include "kernels/kernel_source.h"
#include "kernels/smoothed.h"
#include "support/convolve.h"

namespace convtool {
namespace {

constexpr const char* kOperators[] = {"sobel", "scharr", "prewitt", "roberts", "farid", "kirsch", "frei-chen", "log"};
constexpr Shape kShape{2, 3, 17, 23};  // two pictures, filtered separately

EdgeRecipe recipe_of(const std::string& name, ColorRule color) {
  EdgeRecipe recipe;
  recipe.kernels = load_kernel(name).banks.front();
  recipe.color = color;
  return recipe;
}

Tensor random_picture(std::int64_t channels, DType dtype = DType::u8) {
  Random random(7);
  Shape shape = kShape;
  shape.c = channels;
  return filled(dtype, shape, [&] { return static_cast<double>(random.between(0, 255)); });
}

struct Found {
  Tensor output;
  EdgeResult result;
};

Found find(const EdgeRecipe& recipe, const Tensor& picture, DType dtype = DType::f32, int threads = 1,
           const Mapping& mapping = {}) {
  const EdgePlan plan(recipe, picture.dtype(), picture.shape(), {.threads = threads});
  Found found{Tensor(dtype, plan.output_shape()), {}};
  found.result = plan.run(picture.ref(), picture.ref(), found.output.ref(), mapping);
  return found;
}

std::vector<double> values(const EdgeRecipe& recipe, const Tensor& picture) {
  return values_of(find(recipe, picture).output.ref());
}

EdgeRecipe with(EdgeRecipe recipe, EdgeKind kind) {
  recipe.kind = kind;
  return recipe;
}

/// Calls use(recipe) for every recipe that is possible for a picture with this many channels, except that it leaves the
/// kind of output at its default. Checks that the other recipes are refused.
template <class Use>
void for_each_recipe(std::int64_t channels, const Use& use) {
  for (const char* name : kOperators)
    for (const ColorRule color : {ColorRule::luma, ColorRule::max, ColorRule::sum, ColorRule::di_zenzo})
      for (const bool thins : {false, true})
        for (const bool decides : {false, true}) {
          if (color == ColorRule::luma && channels > 1) continue;
          EdgeRecipe recipe = recipe_of(name, color);
          recipe.thin = thins;
          if (decides) recipe.hysteresis = ThresholdRule{ThresholdRule::Source::percentile, 60, 90};
          const bool directs = recipe.has_gradient();
          if (!directs && ((thins && !recipe.is_laplacian()) || (color == ColorRule::di_zenzo && channels > 1))) {
            CHECK_THROWS_AS(find(recipe, random_picture(channels)), Error);
            continue;
          }
          CAPTURE(std::string(name));
          CAPTURE(std::string(kColorRules[static_cast<int>(color)]));
          CAPTURE(thins);
          CAPTURE(decides);
          use(recipe);
        }
}

TEST_CASE("the magnitude of one colour is the response of the bank itself") {
  for (const char* name : kOperators) {
    CAPTURE(std::string(name));
    const Tensor picture = random_picture(1);
    const EdgeRecipe recipe = recipe_of(name, ColorRule::luma);
    const Network network = load_kernel(name);
    const NetworkPlan plan(network, DType::u8, picture.shape(), false, {});
    for (const DType dtype : {DType::u8, DType::u16, DType::f32}) {
      Tensor wanted(dtype, plan.output_shape());
      const OutputMap map = recipe.is_laplacian() ? OutputMap::abs : OutputMap::clip;
      plan.run(picture.ref(), wanted.ref(), map);
      CHECK(values_of(find(recipe, picture, dtype).output.ref()) == values_of(wanted.ref()));
    }
  }
}

TEST_CASE("with one colour every rule gives the same strengths") {
  const Tensor picture = random_picture(1);
  for (const char* name : {"sobel", "roberts", "kirsch", "log"})
    for (const ColorRule color : {ColorRule::max, ColorRule::sum, ColorRule::di_zenzo})
      CHECK(values(recipe_of(name, color), picture) == values(recipe_of(name, ColorRule::luma), picture));
}

TEST_CASE("repeating a colour n times: max keeps strengths, sum multiplies them by n, di Zenzo by the root of n") {
  const Tensor grey = random_picture(1);
  Tensor colours(DType::u8, kShape);
  const auto from = std::as_const(grey).ref().view<std::uint8_t>();
  const auto to = colours.ref().view<std::uint8_t>();
  for (std::int64_t n = 0; n < kShape.n; ++n)
    for (std::int64_t c = 0; c < kShape.c; ++c)
      for (std::int64_t y = 0; y < kShape.h; ++y)
        for (std::int64_t x = 0; x < kShape.w; ++x) to.at(n, c, y, x) = from.at(n, 0, y, x);
  const std::vector<double> one = values(recipe_of("sobel", ColorRule::luma), grey);
  for (const auto& [rule, factor] :
       {std::pair(ColorRule::max, 1.0), {ColorRule::sum, 3.0}, {ColorRule::di_zenzo, std::sqrt(3.0)}}) {
    const std::vector<double> seen = values(recipe_of("sobel", rule), colours);
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(seen[i] == doctest::Approx(factor * one[i]).epsilon(1e-6));
  }
}

TEST_CASE("decisions, strengths, components and angles show the same edges") {
  for (const std::int64_t channels : {1, 3})
    for_each_recipe(channels, [&](const EdgeRecipe& recipe) {
      const Tensor picture = random_picture(channels);
      const std::vector<double> strengths = values(recipe, picture);
      if (recipe.hysteresis) {
        const Found binary = find(with(recipe, EdgeKind::binary), picture);
        const std::vector<double> decisions = values_of(binary.output.ref());
        std::int64_t edges = 0;
        for (std::size_t i = 0; i < decisions.size(); ++i) {
          CHECK((decisions[i] == 1) == (strengths[i] > 0));
          edges += decisions[i] == 1;
        }
        CHECK(edges > 10);
        CHECK(binary.result.edge_pixels == edges);
        EdgeRecipe undecided = recipe;
        undecided.hysteresis.reset();
        const std::vector<double> all = values(undecided, picture);
        for (std::size_t i = 0; i < all.size(); ++i) CHECK((strengths[i] == 0 || strengths[i] == all[i]));
      }
      if (!recipe.has_gradient()) return;
      const std::vector<double> vectors = values(with(recipe, EdgeKind::components), picture);
      const std::vector<double> angles = values(with(recipe, EdgeKind::orientation), picture);
      const bool decided = recipe.thin || recipe.hysteresis;
      const std::size_t plane = static_cast<std::size_t>(kShape.h * kShape.w);
      for (std::size_t i = 0; i < strengths.size(); ++i) {
        const std::size_t at = i / plane * 2 * plane + i % plane;
        const double x = vectors[at], y = vectors[at + plane];
        // Squares, a sum and a root in float, after a rotation or a scale, are less than 8 roundings of 2^-24.
        CHECK(std::fabs(std::hypot(x, y) - strengths[i]) <= 8 * 0x1p-24 * strengths[i]);
        if (decided && strengths[i] == 0) {
          CHECK(std::isnan(angles[i]));
        } else if (strengths[i] > 0) {
          // The angle is a float of up to pi, so its rounding error is up to 2^-23. The arc tangent adds an error in
          // its last place.
          CHECK(std::fabs(std::cos(angles[i]) * strengths[i] - x) <= 0x1p-20 * strengths[i]);
          CHECK(std::fabs(std::sin(angles[i]) * strengths[i] + y) <= 0x1p-20 * strengths[i]);
        }
      }
    });
}

TEST_CASE("the gradient of a ramp points up the ramp, for every operator with a direction") {
  for (const char* name : {"sobel", "scharr", "prewitt", "roberts", "farid"}) {
    CAPTURE(std::string(name));
    Tensor ramp(DType::f32, {1, 1, 9, 9});
    for (int i = 0; i < 81; ++i) ramp.data<float>()[i] = static_cast<float>(3 * (i % 9) - 4 * (i / 9));
    const std::vector<double> angles = values(with(recipe_of(name, ColorRule::luma), EdgeKind::orientation), ramp);
    // Coefficients of nine digits, float sums of 25 terms and an arc tangent together err by far less than 2^-16.
    CHECK(std::fabs(angles[40] - std::atan2(4.0, 3.0)) < 0x1p-16);
  }
}

TEST_CASE("percentiles are of all strengths; for a Laplacian, of its zero crossings only") {
  Tensor picture = tensor_of(DType::f32, {1, 1, 1, 8}, {0, 0, 0, 0, 10, 10, 10, 10});
  EdgeRecipe crossings = recipe_of("log", ColorRule::luma);
  crossings.thin = true;
  crossings.hysteresis = ThresholdRule{ThresholdRule::Source::percentile, 0, 100};
  const Found found = find(crossings, picture);
  CHECK(found.result.thresholds->low > 0);  // pixels without a crossing have strength 0, and do not count
  EdgeRecipe gradient = recipe_of("sobel", ColorRule::luma);
  gradient.thin = true;
  gradient.hysteresis = ThresholdRule{ThresholdRule::Source::percentile, 75, 100};
  const Found thin = find(gradient, picture);  // strengths 0 0 0 40 40 0 0 0; thinning keeps one 40
  CHECK(thin.result.thresholds->low == 0);
  CHECK(thin.result.thresholds->high == 40);
  gradient.hysteresis = ThresholdRule{ThresholdRule::Source::percentile, 76, 76};
  CHECK(find(gradient, picture).result.thresholds->low == 40);
}

TEST_CASE("the number of threads changes nothing") {
  for_each_recipe(3, [&](const EdgeRecipe& recipe) {
    const Tensor picture = random_picture(3);
    for (const EdgeKind kind : {EdgeKind::magnitude, EdgeKind::binary}) {
      if (kind == EdgeKind::binary && !recipe.hysteresis) continue;
      CHECK(values_of(find(with(recipe, kind), picture, DType::u8, 1).output.ref()) ==
            values_of(find(with(recipe, kind), picture, DType::u8, 3).output.ref()));
    }
  });
}

TEST_CASE("an overlay is the picture except at edges, in any depth") {
  for (const std::int64_t channels : {1, 3})
    for (const DType from : {DType::u8, DType::u16, DType::f32})
      for (const DType to : {DType::u8, DType::u16, DType::f32}) {
        const Tensor picture = random_picture(channels, from);
        EdgeRecipe recipe = recipe_of("sobel", ColorRule::max);
        recipe.hysteresis = ThresholdRule{ThresholdRule::Source::percentile, 50, 80};
        recipe.overlay_color = {1, 0.5, 0};
        const Found overlay = find(with(recipe, EdgeKind::overlay), picture, to);
        const Found binary = find(with(recipe, EdgeKind::binary), picture, DType::u8);
        const double full = full_value(is_integer(to) ? to : from);
        const double scale = is_integer(from) && is_integer(to) ? full_range(to) / full_range(from) : 1.0;
        const double painted[] = {full, is_integer(to) ? std::nearbyint(full / 2) : full / 2, 0};
        const auto seen = [&](const Tensor& tensor, std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
          return values_of(tensor.ref())[static_cast<std::size_t>(
              ((n * tensor.shape().c + c) * tensor.shape().h + y) * tensor.shape().w + x)];
        };
        for (std::int64_t c = 0; c < 3; ++c)
          for (std::int64_t x = 0; x < kShape.w; ++x) {
            const double value = seen(picture, 1, channels == 1 ? 0 : c, 9, x) * scale;
            const double kept = is_integer(to) ? std::min(std::nearbyint(value), full) : value;
            CHECK(seen(overlay.output, 1, c, 9, x) ==
                  (seen(binary.output, 1, 0, 9, x) > 0 ? doctest::Approx(painted[c]) : doctest::Approx(kept)));
          }
      }
}

TEST_CASE("binary is the full range of its type") {
  EdgeRecipe recipe = recipe_of("sobel", ColorRule::luma);
  recipe.kind = EdgeKind::binary;
  recipe.hysteresis = ThresholdRule{ThresholdRule::Source::response, 100, 300};
  for (const auto& [dtype, full] : {std::pair(DType::u8, 255.0), {DType::u16, 65535.0}, {DType::f32, 1.0}}) {
    const Found found = find(recipe, random_picture(1), dtype);
    bool any = false;
    for (const double value : values_of(found.output.ref())) {
      CHECK((value == 0 || value == full));
      any = any || value == full;
    }
    CHECK(any);
    CHECK(found.result.thresholds->low == 100);
    CHECK(found.result.thresholds->high == 300);
  }
}

TEST_CASE("a smoothed kernel has the responses of the blur followed by the kernel") {
  Network blurred = load_kernel("gaussian:sigma=1.3");
  const Bank sobel = load_kernel("sobel-x").banks.front();
  blurred.banks.push_back(sobel);
  const Network folded{.name = "folded", .description = "", .banks = {smoothed(sobel, 1.3)}};
  const Tensor picture = random_picture(1);
  const auto run = [&](const Network& network) {
    const NetworkPlan plan(network, DType::u8, picture.shape(), false, {});
    Tensor output(DType::f32, plan.output_shape());
    plan.run(picture.ref(), output.ref(), OutputMap::clip);
    return output;
  };
  const Tensor apart = run(blurred), once = run(folded);
  // Compares inner pixels only, since blur and kernel both pad the border. sum|x||w| is at most 255 * 8. The blur has
  // 81 taps, the kernel 9, the smoothed kernel 121.
  const double bound = (81 + 9 + 121 + 12) * 0x1p-24 * 255 * 8;
  for (std::int64_t y = 1; y < kShape.h - 1; ++y)
    for (std::int64_t x = 1; x < kShape.w - 1; ++x)
      CHECK(std::fabs(static_cast<double>(once.ref().view<float>().at(0, 0, y, x)) -
                      static_cast<double>(apart.ref().view<float>().at(0, 0, y, x))) <= bound);
  CHECK(sums_to_zero(folded.banks.front().layers.front()));
}

TEST_CASE("impossible recipes are refused with an alternative") {
  const auto refusal = [&](const EdgeRecipe& recipe, std::int64_t channels) -> std::string {
    try {
      EdgePlan(recipe, DType::u8, {1, channels, 8, 8}, {});
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::shape);
      return error.what();
    }
    return "none";
  };
  CHECK(refusal(recipe_of("sobel", ColorRule::luma), 3).find("--color max, sum or di-zenzo") != std::string::npos);
  CHECK(refusal(with(recipe_of("kirsch", ColorRule::luma), EdgeKind::orientation), 1).find("such as sobel") !=
        std::string::npos);
  CHECK(refusal(with(recipe_of("kirsch", ColorRule::luma), EdgeKind::components), 1) == "none");
  CHECK(refusal(with(recipe_of("kirsch", ColorRule::max), EdgeKind::components), 3) != "none");
  EdgeRecipe l1 = recipe_of("sobel", ColorRule::di_zenzo);
  l1.kernels.combine = Combine::l1;
  CHECK(refusal(l1, 3).find("no l1 norm") != std::string::npos);
  CHECK(refusal(l1, 1) == "none");
  EdgeRecipe crossings = with(recipe_of("log", ColorRule::luma), EdgeKind::components);
  crossings.thin = true;
  CHECK(refusal(crossings, 1) != "none");
}

}  // namespace
}  // namespace convtool
