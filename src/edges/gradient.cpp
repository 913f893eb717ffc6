#include "edges/gradient.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace convtool {
namespace {

/// The responses of a kernel to the ramps x and y.
struct Moments {
  double x = 0, y = 0;
};

Moments moments_of(const Layer& layer) {
  Moments moments;
  const double divisor = layer.divisor.empty() ? 1.0 : layer.divisor.front();
  for (std::int64_t row = 0; row < layer.shape.kh; ++row)
    for (std::int64_t column = 0; column < layer.shape.kw; ++column) {
      const double weight = static_cast<double>(layer.weights[static_cast<std::size_t>(row * layer.shape.kw + column)]);
      moments.x += weight * static_cast<double>(column) / divisor;
      moments.y += weight * static_cast<double>(row) / divisor;
    }
  return moments;
}

/// In double, where squares of floats neither overflow nor vanish, as in the engine.
float length(float x, float y, bool l1) {
  if (l1) return std::fabs(x) + std::fabs(y);
  const double wide_x = static_cast<double>(x), wide_y = static_cast<double>(y);
  return static_cast<float>(std::sqrt(wide_x * wide_x + wide_y * wide_y));
}

struct Vector {
  float x, y;
};

/// The larger eigenvalue of the structure tensor and its eigenvector, of length 1.
struct Principal {
  double eigenvalue, x, y;
};

Principal principal_of(double xx, double xy, double yy) {
  const double half = (xx - yy) / 2, root = std::sqrt(half * half + xy * xy);
  const double eigenvalue = (xx + yy) / 2 + root;
  // The eigenvector has two forms; this is the one without cancellation.
  const double x = half > 0 ? half + root : xy, y = half > 0 ? xy : root - half;
  const double size = std::hypot(x, y);
  return size > 0 ? Principal{eigenvalue, x / size, y / size} : Principal{eigenvalue, 1, 0};
}

/// Sums over the colours of one pixel.
struct ColourSum {
  Vector strongest{0, 0};
  float most = -1, all = 0;       // the length of the strongest, and the sum of lengths
  double xx = 0, xy = 0, yy = 0;  // the structure tensor

  void add(const Vector& vector, float size) {
    if (!(size <= most) && !std::isnan(most)) {
      strongest = vector;
      most = size;
    }
    all += size;
    xx += static_cast<double>(vector.x) * static_cast<double>(vector.x);
    xy += static_cast<double>(vector.x) * static_cast<double>(vector.y);
    yy += static_cast<double>(vector.y) * static_cast<double>(vector.y);
  }
};

/// A vector of length `size` along the eigenvector, which has no sign of its own: it takes that of `strongest`.
Vector along(const Principal& principal, const Vector& strongest, float size, bool l1) {
  const auto right = static_cast<float>(principal.x), down = static_cast<float>(principal.y);
  const float sign = right * strongest.x + down * strongest.y < 0 ? -1.0F : 1.0F;
  const float scale = sign * size / length(right, down, l1);
  return {right * scale, down * scale};
}

}  // namespace

Turn turn_of(const Bank& pair) {
  const Moments first = moments_of(pair.layers.at(0)), second = moments_of(pair.layers.at(1));
  const double area = first.x * second.y - first.y * second.x;  // of the parallelogram that they span
  const double size = std::hypot(first.x, first.y) * std::hypot(second.x, second.y);
  constexpr double kRounding = 1e-5;  // far above the rounding of float weights, far below any intended angle
  if (!(area > kRounding * size))
    refuse_kernel(pair.name, "its two kernels are not the components of a gradient, x before y");
  if (std::fabs(first.y) < kRounding * first.x && std::fabs(second.x) < kRounding * second.y) return {};
  const double scale = 1 / std::sqrt(area);
  return {second.y * scale, -first.y * scale, -second.x * scale, first.x * scale};
}

void turn_vectors(const Turn& turn, const TensorRef& vectors, int threads) {
  const auto view = vectors.view<float>();
  const auto xx = static_cast<float>(turn.xx), xy = static_cast<float>(turn.xy);
  const auto yx = static_cast<float>(turn.yx), yy = static_cast<float>(turn.yy);
  for_each_row(vectors.shape, threads, [=](std::int64_t n, std::int64_t y) {
    float* const first = view.row(n, 0, y);
    float* const second = view.row(n, 1, y);
    for (std::int64_t x = 0; x < view.shape.w; ++x) {
      const float a = first[x], b = second[x];
      first[x] = xx * a + xy * b;
      second[x] = yx * a + yy * b;
    }
  });
}

void measure_lengths(const ConstTensorRef& vectors, bool l1, const TensorRef& lengths, int threads) {
  const auto in = vectors.view<float>();
  const auto out = lengths.view<float>();
  for_each_row(vectors.shape, threads, [=](std::int64_t n, std::int64_t y) {
    const float* const right = in.row(n, 0, y);
    const float* const down = in.row(n, 1, y);
    float* const row = out.row(n, 0, y);
    if (l1)
      for (std::int64_t x = 0; x < in.shape.w; ++x) row[x] = length(right[x], down[x], true);
    else
      for (std::int64_t x = 0; x < in.shape.w; ++x) row[x] = length(right[x], down[x], false);
  });
}

void join_colours(ColorRule rule, bool l1, const ConstTensorRef& colours, const TensorRef& gradient,
                  const TensorRef& strength, int threads) {
  require(rule != ColorRule::luma && !(rule == ColorRule::di_zenzo && l1), "a rule for several colours");
  const auto in = colours.view<float>();
  const auto out = gradient.view<float>();
  const auto strengths = strength.view<float>();
  const std::int64_t count = colours.shape.c / 2;
  for_each_row(colours.shape, threads, [=](std::int64_t n, std::int64_t y) {
    for (std::int64_t x = 0; x < in.shape.w; ++x) {
      ColourSum sum;
      for (std::int64_t c = 0; c < count; ++c) {
        const Vector vector{in.at(n, c, y, x), in.at(n, count + c, y, x)};
        sum.add(vector, length(vector.x, vector.y, l1));
      }
      Vector joined = sum.strongest;
      float size = sum.most;
      if (rule != ColorRule::max) {
        const Principal principal = principal_of(sum.xx, sum.xy, sum.yy);
        size = rule == ColorRule::sum ? sum.all : static_cast<float>(std::sqrt(principal.eigenvalue));
        joined = along(principal, sum.strongest, size, l1);
      }
      out.at(n, 0, y, x) = joined.x;
      out.at(n, 1, y, x) = joined.y;
      strengths.at(n, 0, y, x) = size;
    }
  });
}

void join_strengths(ColorRule rule, const ConstTensorRef& colours, const TensorRef& strength, int threads) {
  require(rule == ColorRule::max || rule == ColorRule::sum, "a rule for strengths");
  const auto in = colours.view<float>();
  const auto out = strength.view<float>();
  for_each_row(colours.shape, threads, [=](std::int64_t n, std::int64_t y) {
    for (std::int64_t x = 0; x < in.shape.w; ++x) {
      float joined = in.at(n, 0, y, x);
      for (std::int64_t c = 1; c < in.shape.c; ++c) {
        const float value = in.at(n, c, y, x);
        if (rule == ColorRule::sum)
          joined += value;
        else if (!(value <= joined) && !std::isnan(joined))
          joined = value;
      }
      out.at(n, 0, y, x) = joined;
    }
  });
}

}  // namespace convtool
