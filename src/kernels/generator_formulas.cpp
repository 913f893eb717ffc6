#include "kernels/generator_formulas.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

namespace convtool {
namespace {

using std::numbers::pi;

/// `value_at(x, y)` at the centre of every pixel.
template <class Function>
SampledKernel sample(const Extent& size, Function&& value_at) {
  SampledKernel samples{size, {}};
  samples.weights.reserve(static_cast<std::size_t>(size.h * size.w));
  for (std::int64_t row = 0; row < size.h; ++row) {
    for (std::int64_t column = 0; column < size.w; ++column) {
      const double x = static_cast<double>(2 * column - (size.w - 1)) / 2;
      const double y = static_cast<double>((size.h - 1) - 2 * row) / 2;
      samples.weights.push_back(value_at(x, y));
    }
  }
  return samples;
}

double sum_of(const SampledKernel& samples) {
  double sum = 0;
  for (const double weight : samples.weights) sum += weight;
  return sum;
}

SampledKernel divided(SampledKernel samples, double divisor) {
  for (double& weight : samples.weights) weight /= divisor;
  return samples;
}

struct Direction {
  double cos, sin;
};

/// Exact at multiples of 90 degrees, and with equal sizes at odd multiples of 45, where rounding pi would leave small
/// weights off the axes and diagonals.
Direction direction(double degrees) {
  const double turned = std::remainder(degrees, 360.0);
  if (turned == 0) return {1, 0};
  if (turned == 90) return {0, 1};
  if (turned == -90) return {0, -1};
  if (std::fabs(turned) == 180) return {-1, 0};
  const double cos = std::cos(turned * pi / 180), sin = std::sin(turned * pi / 180);
  if (std::fabs(turned) == 45 || std::fabs(turned) == 135)
    return {std::copysign(std::numbers::sqrt2 / 2, cos), std::copysign(std::numbers::sqrt2 / 2, sin)};
  return {cos, sin};
}

/// A part of a pixel smaller than this is a rounding error of sines and roots, not a weight.
constexpr double kSliver = 1e-9;

/// The odd number of pixels that a figure extending `reach` to both sides of the centre touches. Pixel k covers
/// [k - 1/2, k + 1/2].
std::int64_t pixels_touched(double reach) {
  return 2 * static_cast<std::int64_t>(std::ceil(std::max(0.0, reach - 0.5 - kSliver))) + 1;
}

/// The area of [0, x] x [0, y] inside the circle of radius r around the origin; x and y in [0, r].
double quarter_disk_area(double x, double y, double r) {
  if (x * x + y * y <= r * r) return x * y;
  // The top edge of the rectangle leaves the circle at `left`; from there to x, the circle bounds the area.
  const double left = std::sqrt(r * r - y * y);
  const auto below_circle = [r](double t) {
    return (t * std::sqrt(std::max(0.0, r * r - t * t)) + r * r * std::asin(std::min(1.0, t / r))) / 2;
  };
  return left * y + below_circle(x) - below_circle(left);
}

/// The area of the unit square around (x, y) inside the circle of radius r around the origin.
double pixel_area_in_disk(double x, double y, double r) {
  // Only one octant is needed. Ordering x and y gives the transposed pixel the same rounding.
  const double far = std::max(std::fabs(x), std::fabs(y)), near = std::min(std::fabs(x), std::fabs(y));
  if (std::hypot(far + 0.5, near + 0.5) <= r) return 1;
  const auto area = [r](double right, double top) {  // odd in both arguments, like an integral from 0
    const double sign = (right < 0) == (top < 0) ? 1 : -1;
    return sign * quarter_disk_area(std::min(std::fabs(right), r), std::min(std::fabs(top), r), r);
  };
  const double inside = area(far + 0.5, near + 0.5) - area(far - 0.5, near + 0.5) - area(far + 0.5, near - 0.5) +
                        area(far - 0.5, near - 0.5);
  return inside < kSliver * std::min(1.0, r * r) ? 0 : inside;
}

/// The length of the line t * along, |t| <= half, inside the unit square around (x, y).
double line_length_in_pixel(double x, double y, const Direction& along, double half) {
  double first = -half, last = half;
  for (const auto& [centre, slope] : {std::pair(x, along.cos), std::pair(y, along.sin)}) {
    if (slope == 0) {
      if (std::fabs(centre) > 0.5) return 0;
      continue;
    }
    const auto [enter, leave] = std::minmax({(centre - 0.5) / slope, (centre + 0.5) / slope});
    first = std::max(first, enter);
    last = std::min(last, leave);
  }
  return last - first < kSliver ? 0 : last - first;
}

}  // namespace

SampledKernel sample_gaussian(double sigma, const Extent& size) {
  const SampledKernel bell =
      sample(size, [sigma](double x, double y) { return std::exp(-(x * x + y * y) / (2 * sigma * sigma)); });
  return divided(bell, sum_of(bell));
}

SampledKernel sample_box(const Extent& size) {
  SampledKernel samples = sample(size, [](double, double) { return 1.0; });
  samples.divisor = static_cast<double>(size.h * size.w);
  return samples;
}

SampledKernel sample_log(double sigma, const Extent& size) {
  SampledKernel samples = sample(size, [sigma](double x, double y) {
    const double falloff = (x * x + y * y) / (2 * sigma * sigma);
    return (1 - falloff) * std::exp(-falloff) / (pi * std::pow(sigma, 4));
  });
  const double mean = sum_of(samples) / static_cast<double>(samples.weights.size());
  for (double& weight : samples.weights) weight -= mean;
  return samples;
}

SampledKernel sample_dog(double sigma, double ratio, const Extent& size) {
  SampledKernel samples = sample_gaussian(sigma, size);
  const SampledKernel wide = sample_gaussian(ratio * sigma, size);
  for (std::size_t i = 0; i < samples.weights.size(); ++i) samples.weights[i] -= wide.weights[i];
  return samples;
}

SampledKernel sample_unsharp(double sigma, double amount, const Extent& size) {
  SampledKernel samples = sample_gaussian(sigma, size);
  for (double& weight : samples.weights) weight *= -amount;
  samples.weights[samples.weights.size() / 2] += 1 + amount;
  return samples;
}

SampledKernel sample_sharpen(double amount) {
  const double a = -amount;
  return {.size = {3, 3}, .weights = {0, a, 0, a, 1 + 4 * amount, a, 0, a, 0}};
}

SampledKernel sample_emboss(double angle, double amount) {
  const Direction light = direction(angle);
  SampledKernel samples = sample(
      {3, 3}, [&](double x, double y) { return -std::numbers::sqrt2 * amount * (light.cos * x + light.sin * y); });
  samples.weights[4] += 1;
  return samples;
}

SampledKernel sample_gabor(const GaborShape& shape, const Extent& size) {
  const Direction along = direction(shape.theta), phase = direction(shape.psi);
  const SampledKernel waves = sample(size, [&](double x, double y) {
    const double u = x * along.cos + y * along.sin, v = shape.gamma * (y * along.cos - x * along.sin);
    const double turn = 2 * pi * u / shape.lambda;
    return std::exp(-(u * u + v * v) / (2 * shape.sigma * shape.sigma)) *
           (std::cos(turn) * phase.cos -
            std::sin(turn) * phase.sin);  // cos(turn + psi), exact for multiples of 90 degrees
  });
  double sum = 0;
  for (const double weight : waves.weights) sum += std::fabs(weight);
  return sum > 0 ? divided(waves, sum) : waves;
}

Extent gabor_extent(const GaborShape& shape) {
  const Direction along = direction(shape.theta);
  const double u = 3 * shape.sigma, v = u / shape.gamma;  // half axes of the 3 sigma ellipse
  const auto side = [](double reach) { return 2 * static_cast<std::int64_t>(std::ceil(reach)) + 1; };
  return {side(std::hypot(u * along.sin, v * along.cos)), side(std::hypot(u * along.cos, v * along.sin))};
}

SampledKernel sample_disk(double radius) {
  const std::int64_t side = pixels_touched(radius);
  const SampledKernel areas =
      sample({side, side}, [radius](double x, double y) { return pixel_area_in_disk(x, y, radius); });
  return divided(areas, sum_of(areas));
}

SampledKernel sample_motion(double length, double angle) {
  const Direction along = direction(angle);
  const double half = length / 2;
  const Extent size{pixels_touched(half * std::fabs(along.sin)), pixels_touched(half * std::fabs(along.cos))};
  const SampledKernel lengths =
      sample(size, [&](double x, double y) { return line_length_in_pixel(x, y, along, half); });
  return divided(lengths, sum_of(lengths));
}

}  // namespace convtool
