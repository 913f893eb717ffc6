#include "edges/zero_crossings.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace convtool {
namespace {

bool signs_differ(float a, float b) { return (a < 0 && b > 0) || (a > 0 && b < 0); }

/// The strength of the edge at `here`, between its two neighbours along a row or column.
float strength_between(float before, float here, float after) {
  float strength = 0;
  if (here == 0 && signs_differ(before, after)) strength = std::fabs(before - after);
  if (signs_differ(before, here) && std::fabs(here) < std::fabs(before)) strength = std::fabs(before - here);
  if (signs_differ(here, after) && std::fabs(here) <= std::fabs(after))
    strength = std::max(strength, std::fabs(here - after));
  return strength;
}

}  // namespace

void zero_crossings(const ConstTensorRef& responses, const TensorRef& strengths, int threads) {
  const Shape& shape = responses.shape;
  require(strengths.shape == shape, "strengths of another shape");
  const auto in = responses.view<float>();
  const auto out = strengths.view<float>();
  for_each_row(shape, threads, [=](std::int64_t n, std::int64_t y) {
    for (std::int64_t c = 0; c < in.shape.c; ++c) {
      const auto at = [&](std::int64_t row, std::int64_t x) {
        return row < 0 || row >= in.shape.h || x < 0 || x >= in.shape.w ? 0.0F : in.at(n, c, row, x);
      };
      for (std::int64_t x = 0; x < in.shape.w; ++x) {
        const float here = in.at(n, c, y, x);
        out.at(n, c, y, x) = std::max(strength_between(at(y, x - 1), here, at(y, x + 1)),
                                      strength_between(at(y - 1, x), here, at(y + 1, x)));
      }
    }
  });
}

}  // namespace convtool
