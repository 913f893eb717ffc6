// Thin edges on pictures small enough to see the answer.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "edges/thin.h"
#include "support/convolve.h"

namespace convtool {
namespace {

/// `magnitude` after thinning, where every gradient is (right, down).
std::vector<double> thinned(const Shape& shape, const std::vector<double>& magnitude, float right, float down) {
  Tensor gradient(DType::f32, {shape.n, 2, shape.h, shape.w});
  for (std::int64_t n = 0; n < shape.n; ++n) {
    std::fill_n(gradient.data<float>() + 2 * n * shape.h * shape.w, shape.h * shape.w, right);
    std::fill_n(gradient.data<float>() + (2 * n + 1) * shape.h * shape.w, shape.h * shape.w, down);
  }
  const Tensor strength = tensor_of(DType::f32, shape, magnitude);
  Tensor result(DType::f32, shape);
  thin(gradient.ref(), strength.ref(), result.ref());
  return values_of(result.ref());
}

TEST_CASE("a ridge stays where it is highest across; along rows and columns the first of equals stays") {
  const Shape row{1, 1, 1, 7}, column{1, 1, 7, 1};
  const std::vector<double> ridge = {1, 2, 5, 5, 2, 3, 1}, left = {0, 0, 5, 0, 0, 3, 0};
  for (const float sign : {1.0F, -1.0F}) {
    CHECK(thinned(row, ridge, sign, 0) == left);
    CHECK(thinned(row, ridge, sign, 0.41F) == left);
    CHECK(thinned(column, ridge, 0, sign) == left);
    CHECK(thinned(column, ridge, 0.41F, sign) == left);
  }
  // Across the row nothing is higher: only what lies outside, which is 0, is compared.
  CHECK(thinned(row, ridge, 0, 1) == ridge);
}

TEST_CASE("diagonals compare with the diagonal that the gradient points along") {
  const Shape square{1, 1, 3, 3};
  const std::vector<double> falling = {9, 0, 0, 0, 5, 0, 0, 0, 1}, rising = {0, 0, 9, 0, 5, 0, 1, 0, 0};
  CHECK(thinned(square, falling, 1, 1)[4] == 0);  // 9 stands up left of it
  CHECK(thinned(square, falling, -1, -1)[4] == 0);
  CHECK(thinned(square, falling, 1, -1)[4] == 5);
  CHECK(thinned(square, rising, 1, -1)[4] == 0);
  CHECK(thinned(square, rising, -1, 1)[4] == 0);
  CHECK(thinned(square, rising, 1, 1)[4] == 5);
  CHECK(thinned(square, {5, 0, 0, 0, 5, 0, 0, 0, 0}, 1, 1)[4] == 0);  // of equals on a diagonal none stays
  CHECK(thinned(square, falling, 1, 0.42F)[4] == 0);                  // just past 22.5 degrees
  CHECK(thinned(square, falling, 1, 2.4F)[4] == 0);                   // just before 67.5
  CHECK(thinned(square, falling, 1, 2.42F)[4] == 5);
}

TEST_CASE("no gradient, NaN, and each picture of a batch by itself") {
  CHECK(thinned({1, 1, 1, 3}, {0, 0, 0}, 0, 0) == std::vector<double>{0, 0, 0});
  CHECK(thinned({1, 1, 1, 3}, {0.25, 0.125, 0}, 1, 0) == std::vector<double>{0.25, 0, 0});  // outside is 0
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(thinned({1, 1, 1, 3}, {1, nan, 1}, 1, 0) == std::vector<double>{0, 0, 0});
  CHECK(thinned({2, 1, 1, 3}, {1, 2, 1, 3, 2, 1}, 1, 0) == std::vector<double>{0, 2, 0, 3, 0, 0});
}

}  // namespace
}  // namespace convtool
