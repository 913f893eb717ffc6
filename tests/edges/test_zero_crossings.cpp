// Zero crossings on rows and columns small enough to see the answer.
#include <doctest/doctest.h>

#include <limits>

#include "edges/zero_crossings.h"
#include "support/convolve.h"

namespace convtool {
namespace {

std::vector<double> crossings(const Shape& shape, const std::vector<double>& responses) {
  const Tensor input = tensor_of(DType::f32, shape, responses);
  Tensor strengths(DType::f32, shape);
  zero_crossings(input.ref(), strengths.ref());
  return values_of(strengths.ref());
}

TEST_CASE("where the sign changes, the edge is the pixel nearer to 0 (or the first), as strong as the difference") {
  const std::vector<double> responses = {1, 5, -3, -4, 2, 0, 0, 2, -2, 3}, edges = {0, 0, 8, 0, 6, 0, 0, 4, 5, 0};
  CHECK(crossings({1, 1, 1, 10}, responses) == edges);
  CHECK(crossings({1, 1, 10, 1}, responses) == edges);
  CHECK(crossings({1, 10, 1, 1}, responses) == std::vector<double>(10));  // channels are not neighbours
  CHECK(crossings({10, 1, 1, 1}, responses) == std::vector<double>(10));
}

TEST_CASE("a zero between two signs is an edge; flat areas, the outside and NaN are not") {
  CHECK(crossings({1, 1, 1, 3}, {4, 0, -6}) == std::vector<double>{0, 10, 0});
  CHECK(crossings({1, 1, 3, 1}, {-1, 0, 2}) == std::vector<double>{0, 3, 0});
  CHECK(crossings({1, 1, 1, 3}, {4, 0, 6}) == std::vector<double>{0, 0, 0});
  CHECK(crossings({1, 1, 2, 2}, {0, 0, 0, 0}) == std::vector<double>{0, 0, 0, 0});
  CHECK(crossings({1, 1, 1, 2}, {4, 4}) == std::vector<double>{0, 0});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(crossings({1, 1, 1, 3}, {4, nan, -4}) == std::vector<double>{0, 0, 0});
}

TEST_CASE("a pixel that is an edge in its row and in its column has the greater strength") {
  CHECK(crossings({1, 1, 1, 3}, {5, -1, 2}) == std::vector<double>{0, 6, 0});
  CHECK(crossings({1, 1, 1, 3}, {2, -1, 5}) == std::vector<double>{0, 6, 0});
  //  5 -1
  //  4  7: -1 differs from 5, in its row, by 6 and from 7, in its column, by 8.
  CHECK(crossings({1, 1, 2, 2}, {5, -1, 4, 7}) == std::vector<double>{0, 8, 0, 0});
}

}  // namespace
}  // namespace convtool
