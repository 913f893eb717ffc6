// Angles and their colours.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "edges/orientation.h"
#include "support/convolve.h"

namespace convtool {
namespace {

/// The angle of the gradient (right, down).
double angle(double right, double down, AngleUnit unit = AngleUnit::degrees) {
  const Tensor vectors = tensor_of(DType::f32, {1, 2, 1, 1}, {right, down});
  Tensor angles(DType::f32, {1, 1, 1, 1});
  find_angles(vectors.ref(), unit, angles.ref(), 1);
  return values_of(angles.ref())[0];
}

std::vector<double> colour(double right, double down, double strength, double brightest = 1, double darkest = 0) {
  const Tensor vectors = tensor_of(DType::f32, {1, 2, 1, 1}, {right, down});
  const Tensor strengths = tensor_of(DType::f32, {1, 1, 1, 1}, {strength});
  Tensor colours(DType::f32, {1, 3, 1, 1});
  paint_wheel(vectors.ref(), strengths.ref(), {.min = darkest, .max = brightest}, colours.ref(), 1);
  return values_of(colours.ref());
}

TEST_CASE("angles go counter-clockwise from the right, up to half a turn") {
  CHECK(angle(2, 0) == 0);
  CHECK(angle(3, -3) == 45);
  CHECK(angle(0, -1) == 90);
  CHECK(angle(-1, -1) == 135);
  CHECK(angle(-4, 0) == 180);
  CHECK(angle(-1, 1) == -135);
  CHECK(angle(0, 1) == -90);
  CHECK(angle(0, 0) == 0);
  CHECK(angle(-0.0, 0.0) == 0);
  CHECK(angle(-4, -0.0) == 180);
  CHECK(angle(0, -1, AngleUnit::radians) == doctest::Approx(std::numbers::pi / 2).epsilon(1e-7));
}

TEST_CASE("the colour wheel: red to the right, green and blue thirds of a turn further; brightness is the strength") {
  const auto near = [](const std::vector<double>& seen, const std::vector<double>& wanted) {
    for (std::size_t c = 0; c < 3; ++c)
      if (std::fabs(seen[c] - wanted[c]) > 1e-6) return false;
    return true;
  };
  const double third = 2 * std::numbers::pi / 3, sixth = third / 2;
  const auto at = [&](double turn) { return colour(std::cos(turn), -std::sin(turn), 3, 4); };
  CHECK(near(at(0), {0.75, 0, 0}));
  CHECK(near(at(sixth), {0.75, 0.75, 0}));
  CHECK(near(at(third), {0, 0.75, 0}));
  CHECK(near(at(3 * sixth), {0, 0.75, 0.75}));
  CHECK(near(at(-third), {0, 0, 0.75}));
  CHECK(near(at(-sixth), {0.75, 0, 0.75}));
  CHECK(near(at(sixth / 2), {0.75, 0.375, 0}));
  CHECK(near(colour(1, 0, 3, 6, 2), {0.25, 0, 0}));  // a quarter of the way from 2 to 6
  CHECK(near(colour(1, 0, 7, 6, 2), {1, 0, 0}));
  CHECK(near(colour(1, 0, 1, 6, 2), {0, 0, 0}));
  CHECK(near(colour(1, 0, 3, 2, 2), {1, 0, 0}));  // above a range of one strength
  CHECK(near(colour(1, 0, 2, 2, 2), {0, 0, 0}));
}

TEST_CASE("pixels without an edge are black, and so is NaN") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> black = {0, 0, 0};
  CHECK(colour(1, 0, 0) == black);
  CHECK(colour(1, 0, 3, 0) == black);
  CHECK(colour(nan, 0, 1) == black);
  CHECK(colour(1, 0, nan) == black);
}

}  // namespace
}  // namespace convtool
