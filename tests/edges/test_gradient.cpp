// Combining, measuring and rotating gradients, on numbers small enough to check by hand.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "edges/gradient.h"
#include "support/convolve.h"

namespace convtool {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Joined {
  double x, y, strength;
};

/// One pixel whose colours have the gradients (xs[i], ys[i]).
Joined joined(ColorRule rule, bool l1, std::vector<double> xs, const std::vector<double>& ys) {
  const auto colours = static_cast<std::int64_t>(xs.size());
  xs.insert(xs.end(), ys.begin(), ys.end());
  Tensor responses = tensor_of(DType::f32, {1, 2 * colours, 1, 1}, xs);
  TensorRef gradient = responses.ref();
  gradient.strides.c *= colours;
  gradient.shape.c = 2;
  Tensor strength(DType::f32, {1, 1, 1, 1});
  join_colours(rule, l1, responses.ref(), gradient, strength.ref(), 1);
  const std::vector<double> vector = values_of(gradient);
  return {vector[0], vector[1], values_of(strength.ref())[0]};
}

Bank pair_of(const std::vector<float>& first, const std::vector<float>& second, std::int64_t side) {
  const auto layer = [&](const std::vector<float>& weights) {
    Layer result{.name = "k"};
    result.shape = {1, 1, side, side};
    result.weights = weights;
    return result;
  };
  return {.name = "pair", .layers = {layer(first), layer(second)}, .combine = Combine::magnitude};
}

TEST_CASE("max keeps the gradient of the strongest colour, or of the first of equally strong ones") {
  const Joined strongest = joined(ColorRule::max, false, {3, -6, 1}, {4, 8, 0});
  CHECK(strongest.x == -6);
  CHECK(strongest.y == 8);
  CHECK(strongest.strength == 10);
  CHECK(joined(ColorRule::max, true, {3, -6, 1}, {4, 8, 0}).strength == 14);
  CHECK(joined(ColorRule::max, false, {3, 5}, {4, 0}).x == 3);
}

TEST_CASE("sum adds the strengths, along the axis that all colours share") {
  const Joined sum = joined(ColorRule::sum, false, {3, -6, 0}, {4, -8, 0});
  CHECK(sum.strength == 15);
  CHECK(sum.x == doctest::Approx(-9).epsilon(1e-6));  // x : y is 3 : 4, with the sign of the strongest
  CHECK(sum.y == doctest::Approx(-12).epsilon(1e-6));
  const Joined l1 = joined(ColorRule::sum, true, {3, -6}, {4, -8});
  CHECK(l1.strength == 21);
  CHECK(std::fabs(l1.x) + std::fabs(l1.y) == doctest::Approx(21).epsilon(1e-6));
}

TEST_CASE(
    "di Zenzo: parallel gradients add as squares, opposite ones do not cancel, of crossed ones the larger counts") {
  const Joined opposite = joined(ColorRule::di_zenzo, false, {3, -3}, {0, 0});
  CHECK(opposite.strength == doctest::Approx(std::sqrt(18.0)).epsilon(1e-6));
  CHECK(opposite.y == 0);
  CHECK(std::fabs(opposite.x) == doctest::Approx(std::sqrt(18.0)).epsilon(1e-6));
  const Joined crossed = joined(ColorRule::di_zenzo, false, {3, 0, 0}, {0, 5, 0});
  CHECK(crossed.strength == 5);
  CHECK(crossed.x == 0);
  CHECK(crossed.y == 5);
  const Joined one = joined(ColorRule::di_zenzo, false, {3, 0, 0}, {-4, 0, 0});
  CHECK(one.strength == doctest::Approx(5).epsilon(1e-6));
  CHECK(one.x == doctest::Approx(3).epsilon(1e-6));
  CHECK(one.y == doctest::Approx(-4).epsilon(1e-6));
  CHECK(joined(ColorRule::di_zenzo, false, {0, 0, 0}, {0, 0, 0}).strength == 0);
}

TEST_CASE("NaN in one colour is NaN in all") {
  for (const ColorRule rule : {ColorRule::max, ColorRule::sum, ColorRule::di_zenzo})
    for (const std::vector<double>& xs : {std::vector<double>{kNan, 1, 9}, {1, kNan, 9}, {9, 1, kNan}})
      CHECK(std::isnan(joined(rule, false, xs, {0, 0, 0}).strength));
  for (const ColorRule rule : {ColorRule::max, ColorRule::sum})
    for (const std::vector<double>& strengths : {std::vector<double>{kNan, 1, 9}, {1, kNan, 9}, {9, 1, kNan}}) {
      const Tensor colours = tensor_of(DType::f32, {1, 3, 1, 1}, strengths);
      Tensor strength(DType::f32, {1, 1, 1, 1});
      join_strengths(rule, colours.ref(), strength.ref(), 1);
      CHECK(std::isnan(values_of(strength.ref())[0]));
    }
}

TEST_CASE("strengths of colours: the largest, or the sum") {
  const Tensor colours = tensor_of(DType::f32, {1, 3, 1, 2}, {1, 2, 5, 0, 3, 7});
  Tensor strength(DType::f32, {1, 1, 1, 2});
  join_strengths(ColorRule::max, colours.ref(), strength.ref(), 1);
  CHECK(values_of(strength.ref()) == std::vector<double>{5, 7});
  join_strengths(ColorRule::sum, colours.ref(), strength.ref(), 1);
  CHECK(values_of(strength.ref()) == std::vector<double>{9, 9});
}

TEST_CASE("lengths in both norms") {
  const Tensor vectors = tensor_of(DType::f32, {2, 2, 1, 2}, {3, -1, 4, 0, 0, 5, 0, -12});
  Tensor lengths(DType::f32, {2, 1, 1, 2});
  measure_lengths(vectors.ref(), false, lengths.ref(), 1);
  CHECK(values_of(lengths.ref()) == std::vector<double>{5, 1, 0, 13});
  measure_lengths(vectors.ref(), true, lengths.ref(), 1);
  CHECK(values_of(lengths.ref()) == std::vector<double>{7, 1, 0, 17});
}

TEST_CASE("kernels along the axes need no rotation; Roberts' diagonals need an eighth of a turn") {
  const std::vector<float> sobel_x = {-1, 0, 1, -2, 0, 2, -1, 0, 1}, sobel_y = {-1, -2, -1, 0, 0, 0, 1, 2, 1};
  CHECK(turn_of(pair_of(sobel_x, sobel_y, 3)).is_none());
  const Turn turn = turn_of(pair_of({1, 0, 0, -1}, {0, 1, -1, 0}, 2));
  CHECK_FALSE(turn.is_none());
  // A ramp to the right gives -1 for the falling diagonal and 1 for the rising one. A ramp downwards gives -1 for both.
  Tensor vectors = tensor_of(DType::f32, {1, 2, 1, 2}, {-1, -1, 1, -1});
  turn_vectors(turn, vectors.ref(), 1);
  const std::vector<double> turned = values_of(vectors.ref());
  const double length = std::sqrt(2.0);
  CHECK(turned[0] == doctest::Approx(length).epsilon(1e-6));
  CHECK(turned[2] == doctest::Approx(0));
  CHECK(turned[1] == doctest::Approx(0));
  CHECK(turned[3] == doctest::Approx(length).epsilon(1e-6));
}

TEST_CASE("kernels that do not distinguish the axes are not a gradient") {
  const std::vector<float> x = {-1, 1, -1, 1}, y = {-1, -1, 1, 1}, sum = {1, 1, 1, 1};
  CHECK_NOTHROW(turn_of(pair_of(x, y, 2)));
  for (const auto& [first, second] : {std::pair(x, x), {y, x}})
    CHECK_THROWS_AS(turn_of(pair_of(first, second, 2)), Error);
  CHECK_THROWS_AS(turn_of(pair_of({1, -1, -1, 1}, y, 2)), Error);
}

}  // namespace
}  // namespace convtool
