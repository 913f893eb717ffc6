// Decisions by two thresholds, and thresholds computed from a picture.
#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "edges/hysteresis.h"
#include "support/convolve.h"

namespace convtool {
namespace {

std::vector<double> edges_of(const Shape& shape, const std::vector<double>& strength, const Thresholds& thresholds) {
  const Tensor input = tensor_of(DType::f32, shape, strength);
  Tensor edges(DType::u8, shape);
  hysteresis(input.ref(), thresholds, edges.ref());
  return values_of(edges.ref());
}

TEST_CASE("weak pixels count where they are connected to a strong one, along any path") {
  // A chain that turns, a diagonal step, a gap, and an isolated weak pixel.
  CHECK(edges_of({1, 1, 4, 6}, {9, 5, 0, 0, 5, 5,  //
                                0, 0, 5, 0, 0, 0,  //
                                0, 5, 0, 0, 0, 5,  //
                                5, 0, 0, 5, 0, 0},
                 {4, 8}) == std::vector<double>{255, 255, 0,   0, 0, 0,  //
                                                0,   0,   255, 0, 0, 0,  //
                                                0,   255, 0,   0, 0, 0,  //
                                                255, 0,   0,   0, 0, 0});
}

TEST_CASE("values equal to a threshold do not exceed it; NaN is not an edge; pictures of a batch are not connected") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  CHECK(edges_of({1, 1, 1, 4}, {8, 4, 4, 8.5}, {4, 8}) == std::vector<double>{0, 0, 0, 255});
  CHECK(edges_of({1, 1, 1, 4}, {nan, 9, nan, 5}, {4, 8}) == std::vector<double>{0, 255, 0, 0});
  CHECK(edges_of({1, 1, 1, 3}, {inf, 5, -inf}, {4, 8}) == std::vector<double>{255, 255, 0});
  CHECK(edges_of({2, 1, 1, 2}, {0, 9, 5, 0}, {4, 8}) == std::vector<double>{0, 255, 0, 0});
}

TEST_CASE("Otsu's threshold separates two clusters of strengths in any unit, and ignores zeros") {
  for (const double unit : {1.0, 1020.0, 1e-3}) {
    const Tensor strength = tensor_of(
        DType::f32, {1, 1, 1, 12},
        {0, 0, 0, 0, 0.1 * unit, 0.12 * unit, 0.15 * unit, 0.11 * unit, 0.9 * unit, 0.95 * unit, unit, 0.92 * unit});
    const Thresholds found = otsu_thresholds(strength.ref());
    CHECK(found.high > 0.15 * unit);
    CHECK(found.high < 0.9 * unit);
    CHECK(found.low == found.high / 2);
  }
}

TEST_CASE("Otsu's threshold where there is nothing to separate") {
  const auto otsu = [](const std::vector<double>& strengths) {
    return otsu_thresholds(
        tensor_of(DType::f32, {1, 1, 1, static_cast<std::int64_t>(strengths.size())}, strengths).ref());
  };
  CHECK(otsu({0, 0, 0}).high == 0);
  CHECK(otsu({0, 6, 6}).high == 3);  // equal strengths: half of them, so that they are edges
  CHECK_THROWS_AS(otsu({1, std::numeric_limits<double>::infinity()}), Error);
}

}  // namespace
}  // namespace convtool
