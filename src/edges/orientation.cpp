#include "edges/orientation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/parallel.h"

namespace convtool {

void find_angles(const ConstTensorRef& vectors, AngleUnit unit, const TensorRef& angles, int threads) {
  constexpr float kPi = std::numbers::pi_v<float>;
  const float scale = unit == AngleUnit::degrees ? 180 / kPi : 1.0F;
  const auto in = vectors.view<float>();
  const auto out = angles.view<float>();
  for_each_row(vectors.shape, threads, [=](std::int64_t n, std::int64_t y) {
    for (std::int64_t x = 0; x < in.shape.w; ++x) {
      const float right = in.at(n, 0, y, x), up = 0.0F - in.at(n, 1, y, x);  // never -0, since atan2(-0, -1) is -pi
      out.at(n, 0, y, x) = std::atan2(up, right + 0.0F) * scale;
    }
  });
}

void paint_wheel(const ConstTensorRef& vectors, const ConstTensorRef& strength, const BrightnessRange& range,
                 const TensorRef& colours, int threads) {
  const auto in = vectors.view<float>();
  const auto strengths = strength.view<float>();
  const auto out = colours.view<float>();
  const double spread = range.max - range.min;
  const auto darkest = static_cast<float>(range.min), scale = spread > 0      ? static_cast<float>(1 / spread)
                                                              : range.max > 0 ? std::numeric_limits<float>::max()
                                                                              : 0.0F;
  for_each_row(vectors.shape, threads, [=](std::int64_t n, std::int64_t y) {
    for (std::int64_t x = 0; x < in.shape.w; ++x) {
      const float strength_here = strengths.at(n, 0, y, x), value = (strength_here - darkest) * scale;
      const float angle = std::atan2(-in.at(n, 1, y, x), in.at(n, 0, y, x));
      const bool shows = strength_here > 0 && value > 0 && !std::isnan(angle);
      const float sixths = angle * (3 / std::numbers::pi_v<float>);  // -3 to 3, red at 0
      for (std::int64_t c = 0; c < 3; ++c) {
        // Each primary has full intensity within a sixth of a turn of its own hue, and is 0 from two sixths on.
        const float apart = std::fabs(sixths - 2 * static_cast<float>(c)), away = std::min(apart, std::fabs(6 - apart));
        out.at(n, c, y, x) = shows ? std::min(value, 1.0F) * std::clamp(2 - away, 0.0F, 1.0F) : 0.0F;
      }
    }
  });
}

}  // namespace convtool
