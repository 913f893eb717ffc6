// Thin edges on pictures small enough to see the answer.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "edges/thin.h"
#include "support/convolve.h"

namespace convtool {
namespace {

/// `magnitude` after thinning, if every gradient is (right, down).
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

TEST_CASE("a ridge stays where it is highest along the gradient; of equals in a row or column the first stays") {
  const Shape row{1, 1, 1, 7}, column{1, 1, 7, 1};
  const std::vector<double> ridge = {1, 2, 5, 5, 2, 3, 1}, left = {0, 0, 5, 0, 0, 3, 0};
  for (const float sign : {1.0F, -1.0F}) {
    CHECK(thinned(row, ridge, sign, 0) == left);
    CHECK(thinned(row, ridge, sign, 0.41F) == left);
    CHECK(thinned(column, ridge, 0, sign) == left);
    CHECK(thinned(column, ridge, 0.41F, sign) == left);
  }
  // A gradient across the row compares only with pixels outside, which are 0, so everything stays.
  CHECK(thinned(row, ridge, 0, 1) == ridge);
}

TEST_CASE("a diagonal gradient compares with the neighbours on its diagonal") {
  const Shape square{1, 1, 3, 3};
  const std::vector<double> falling = {9, 0, 0, 0, 5, 0, 0, 0, 1}, rising = {0, 0, 9, 0, 5, 0, 1, 0, 0};
  CHECK(thinned(square, falling, 1, 1)[4] == 0);  // the upper left neighbour is 9
  CHECK(thinned(square, falling, -1, -1)[4] == 0);
  CHECK(thinned(square, falling, 1, -1)[4] == 5);
  CHECK(thinned(square, rising, 1, -1)[4] == 0);
  CHECK(thinned(square, rising, -1, 1)[4] == 0);
  CHECK(thinned(square, rising, 1, 1)[4] == 5);
  CHECK(thinned(square, {5, 0, 0, 0, 5, 0, 0, 0, 0}, 1, 1)[4] == 0);  // on a diagonal, no pixel of equals stays
  CHECK(thinned(square, falling, 1, 0.42F)[4] == 0);                  // just above 22.5 degrees
  CHECK(thinned(square, falling, 1, 2.4F)[4] == 0);                   // just below 67.5
  CHECK(thinned(square, falling, 1, 2.42F)[4] == 5);
}

TEST_CASE("no gradient, NaN, and a batch whose pictures are thinned separately") {
  CHECK(thinned({1, 1, 1, 3}, {0, 0, 0}, 0, 0) == std::vector<double>{0, 0, 0});
  CHECK(thinned({1, 1, 1, 3}, {0.25, 0.125, 0}, 1, 0) == std::vector<double>{0.25, 0, 0});  // outside is 0
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(thinned({1, 1, 1, 3}, {1, nan, 1}, 1, 0) == std::vector<double>{0, 0, 0});
  CHECK(thinned({2, 1, 1, 3}, {1, 2, 1, 3, 2, 1}, 1, 0) == std::vector<double>{0, 2, 0, 3, 0, 0});
}

}  // namespace
}  // namespace convtool
