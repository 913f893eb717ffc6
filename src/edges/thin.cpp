#include "edges/thin.h"

#include <cmath>

namespace convtool {
namespace {

constexpr float kTan22 = 0.41421356F, kTan67 = 2.41421356F;

/// The neighbour that comes first in reading order, of the two along a gradient.
struct Neighbour {
  std::int64_t y, x;
  bool is_diagonal;
};

Neighbour first_neighbour(float right, float down) {
  const float across = std::fabs(right), along = std::fabs(down);
  if (along < kTan22 * across) return {0, -1, false};
  if (along > kTan67 * across) return {-1, 0, false};
  return {-1, (right < 0) == (down < 0) ? -1 : 1, true};
}

}  // namespace

void thin(const ConstTensorRef& gradient, const ConstTensorRef& magnitude, const TensorRef& thinned) {
  const Shape& shape = magnitude.shape;
  require(shape.c == 1 && thinned.shape == shape && gradient.shape == Shape{shape.n, 2, shape.h, shape.w},
          "a gradient and magnitudes of different pictures");
  const auto g = gradient.view<float>();
  const auto m = magnitude.view<float>();
  const auto out = thinned.view<float>();
  for (std::int64_t n = 0; n < shape.n; ++n) {
    const auto at = [&](std::int64_t y, std::int64_t x) {
      return y < 0 || y >= shape.h || x < 0 || x >= shape.w ? 0.0F : m.at(n, 0, y, x);
    };
    for (std::int64_t y = 0; y < shape.h; ++y) {
      for (std::int64_t x = 0; x < shape.w; ++x) {
        const Neighbour first = first_neighbour(g.at(n, 0, y, x), g.at(n, 1, y, x));
        const float here = at(y, x), before = at(y + first.y, x + first.x), after = at(y - first.y, x - first.x);
        const bool is_ridge = here > before && (first.is_diagonal ? here > after : here >= after);
        out.at(n, 0, y, x) = is_ridge ? here : 0.0F;
      }
    }
  }
}

}  // namespace convtool
