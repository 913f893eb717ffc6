// Traits computed from weights: rank, factors, symmetries, and the response at frequency 0.
#include <doctest/doctest.h>

#include <cmath>

#include "conv/low_rank.h"
#include "network/kernel_traits.h"
#include "network/layers.h"

namespace convtool {
namespace {

PlaneTraits traits(std::int64_t h, std::int64_t w, const std::vector<float>& weights) {
  return traits_of_plane(weights.data(), {h, w});
}

}  // namespace

TEST_CASE("factors of integer weights are integers") {
  const PlaneTraits sobel = traits(3, 3, {-1, 0, 1, -2, 0, 2, -1, 0, 1});
  CHECK(sobel.rank == 1);
  CHECK(sobel.column == std::vector<double>{1, 2, 1});
  CHECK(sobel.row == std::vector<double>{-1, 0, 1});
  const PlaneTraits difference = traits(1, 2, {1, -1});
  CHECK(difference.column == std::vector<double>{1});
  CHECK(difference.row == std::vector<double>{1, -1});
  const PlaneTraits large = traits(2, 2, {300, 600, 100, 200});
  CHECK(large.column == std::vector<double>{300, 100});
  CHECK(large.row == std::vector<double>{1, 2});
  const PlaneTraits quarters = traits(2, 1, {0.25F, 0.75F});
  for (std::size_t u = 0; u < 2; ++u) CHECK(quarters.column[u] * quarters.row[0] == (u == 0 ? 0.25 : 0.75));
}

TEST_CASE("the product of other factors equals the weights, up to float rounding") {
  Random random(1);
  std::vector<double> column, row;
  for (int i = 0; i < 5; ++i) column.push_back(random.rough());
  for (int i = 0; i < 7; ++i) row.push_back(random.rough());
  std::vector<float> weights;
  for (const double a : column)
    for (const double b : row) weights.push_back(static_cast<float>(a * b));
  const PlaneTraits found = traits(5, 7, weights);
  CHECK(found.rank == 1);
  REQUIRE(found.column.size() == 5);
  REQUIRE(found.row.size() == 7);
  // outer_products() promises that every entry is within (kh * kw + 1) * 2^-24 of the weight, relative to it.
  for (std::size_t i = 0; i < weights.size(); ++i)
    CHECK(std::fabs(found.column[i / 7] * found.row[i % 7] - weights[i]) <= 36 * 0x1p-24 * std::fabs(weights[i]));
}

TEST_CASE("the rank of a sum of outer products is their number, with or without rounding to float") {
  Random random(2);
  for (int trial = 0; trial < 50; ++trial) {
    const Extent size{random.between(2, 12), random.between(2, 12)};
    const std::int64_t rank = random.between(0, std::min<std::int64_t>({3, size.h, size.w}));
    std::vector<double> sum(static_cast<std::size_t>(size.h * size.w));
    for (std::int64_t r = 0; r < rank; ++r) {
      std::vector<double> column, row;
      for (std::int64_t i = 0; i < size.h; ++i) column.push_back(random.rough());
      for (std::int64_t i = 0; i < size.w; ++i) row.push_back(random.rough());
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += column[i / row.size()] * row[i % row.size()];
    }
    const std::vector<float> weights(sum.begin(), sum.end());
    CAPTURE(trial);
    CHECK(numerical_rank(weights.data(), size) == rank);
  }
  std::vector<float> noise = floats(64, [&] { return random.rough(); });
  CHECK(numerical_rank(noise.data(), {8, 8}) == 8);
  CHECK(traits(3, 3, {0, 1, 0, 1, -4, 1, 0, 1, 0}).rank == 2);
  CHECK(traits(3, 3, {0, 1, 0, 1, -4, 1, 0, 1, 0}).column.empty());
}

TEST_CASE("a matrix of zeros has no rank and every symmetry") {
  const PlaneTraits zero = traits(2, 2, {0, 0, 0, 0});
  CHECK(zero.rank == 0);
  CHECK(zero.column.empty());
  CHECK(zero.quarter_turn == Symmetry::symmetric);
}

TEST_CASE("symmetries") {
  const PlaneTraits sobel = traits(3, 3, {-1, 0, 1, -2, 0, 2, -1, 0, 1});
  CHECK(sobel.left_right == Symmetry::antisymmetric);
  CHECK(sobel.top_bottom == Symmetry::symmetric);
  CHECK(sobel.half_turn == Symmetry::antisymmetric);
  CHECK(sobel.quarter_turn == Symmetry::none);
  const PlaneTraits laplacian = traits(3, 3, {0, -1, 0, -1, 4, -1, 0, -1, 0});
  for (const Symmetry each : {laplacian.left_right, laplacian.top_bottom, laplacian.half_turn, laplacian.quarter_turn})
    CHECK(each == Symmetry::symmetric);
  const PlaneTraits saddle = traits(2, 2, {1, -1, -1, 1});  // becomes its negative when rotated by 90 degrees
  CHECK(saddle.quarter_turn == Symmetry::antisymmetric);
  CHECK(saddle.half_turn == Symmetry::symmetric);
  const PlaneTraits swirl = traits(2, 2, {1, 2, 2, 1});
  CHECK(swirl.half_turn == Symmetry::symmetric);
  CHECK(swirl.left_right == Symmetry::none);
  const PlaneTraits wide = traits(1, 3, {1, 2, 1});
  CHECK(wide.left_right == Symmetry::symmetric);
  CHECK(wide.quarter_turn == Symmetry::none);
}

TEST_CASE("the response at frequency 0 is the response to a picture of ones") {
  Layer layer = make_layer(4, {2, 3, 2, 1}, {1, 2, 3, 4, 5, 6, -1, -1, -1, 1, 1, 1});
  layer.divisor = {4, 2};
  CHECK(responses_at_zero(layer) == std::vector<double>{21.0 / 4, 0});
  CHECK(plane_traits(layer).size() == 6);
  const Tensor ones = filled(DType::f32, {1, 3, 2, 1}, [] { return 1; });
  CHECK(values_of(run_bank(bank_of({layer}), ones.ref()).ref()) == responses_at_zero(layer));
  // 0.1 + 0.2 - 0.3 is not exactly 0 in floats, but a difference within rounding counts as 0.
  CHECK(responses_at_zero(plane(1, 3, {0.1F, 0.2F, -0.3F})) == std::vector<double>{0});
}

}  // namespace convtool
