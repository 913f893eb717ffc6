#include "edges/thin.h"

#include <cmath>
#include <vector>

#include "core/parallel.h"

namespace convtool {
namespace {

constexpr float kTan22 = 0.41421356F, kTan67 = 2.41421356F;

/// A row of the gradient, and the magnitudes in this row and in those above and below it.
struct Rows {
  const float *right, *down;
  const float *above, *here, *below;
};

/// The thinned magnitude of the pixel at x, whose left and right neighbours are at `left` and `after`.
inline float thinned_at(const Rows& rows, std::int64_t x, std::int64_t left, std::int64_t after) {
  const float value = rows.here[x];
  const float side_before = rows.here[left], side_after = rows.here[after];
  const float up_left = rows.above[left], up = rows.above[x], up_right = rows.above[after];
  const float down_left = rows.below[left], down = rows.below[x], down_right = rows.below[after];

  const float across = std::fabs(rows.right[x]), along = std::fabs(rows.down[x]);
  const bool is_across = along<kTan22 * across, is_along = along> kTan67 * across;
  const bool falls = (rows.right[x] < 0) == (rows.down[x] < 0);
  const float diagonal_before = falls ? up_left : up_right, diagonal_after = falls ? down_right : down_left;
  const float before = is_across ? side_before : is_along ? up : diagonal_before;
  const float behind = is_across ? side_after : is_along ? down : diagonal_after;
  const bool upright = is_across | is_along;
  const bool is_ridge = (value > before) & ((value > behind) | (upright & (value == behind)));
  return is_ridge ? value : 0.0F;
}

}  // namespace

void thin(const ConstTensorRef& gradient, const ConstTensorRef& magnitude, const TensorRef& thinned, int threads) {
  const Shape& shape = magnitude.shape;
  require(shape.c == 1 && thinned.shape == shape && gradient.shape == Shape{shape.n, 2, shape.h, shape.w},
          "a gradient and magnitudes of different shapes");
  require(gradient.strides.w == 1 && magnitude.strides.w == 1 && thinned.strides.w == 1, "adjacent columns");
  const auto g = gradient.view<float>();
  const auto m = magnitude.view<float>();
  const auto out = thinned.view<float>();
  const std::vector<float> outside(static_cast<std::size_t>(shape.w) + 2);  // zeros
  for_each_row(shape, threads, [&](std::int64_t n, std::int64_t y) {
    const Rows rows{.right = g.row(n, 0, y),
                    .down = g.row(n, 1, y),
                    .above = y > 0 ? m.row(n, 0, y - 1) : outside.data(),
                    .here = m.row(n, 0, y),
                    .below = y + 1 < shape.h ? m.row(n, 0, y + 1) : outside.data()};
    float* const result = out.row(n, 0, y);
    for (std::int64_t x = 1; x < shape.w - 1; ++x) result[x] = thinned_at(rows, x, x - 1, x + 1);
    // The first and last columns have a neighbour outside: work on copies surrounded by zeros.
    for (const std::int64_t x : {std::int64_t{0}, shape.w - 1}) {
      const auto framed = [&](const float* row, std::int64_t at) { return at < 0 || at >= shape.w ? 0.0F : row[at]; };
      float above[3], here[3], below[3];
      for (std::int64_t i = 0; i < 3; ++i) {
        above[i] = framed(rows.above, x - 1 + i);
        here[i] = framed(rows.here, x - 1 + i);
        below[i] = framed(rows.below, x - 1 + i);
      }
      const float right[] = {0, rows.right[x], 0}, down[] = {0, rows.down[x], 0};
      result[x] = thinned_at({right, down, above, here, below}, 1, 0, 2);
    }
  });
}

}  // namespace convtool
