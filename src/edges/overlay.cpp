#include "edges/overlay.h"

#include <cmath>

#include "core/parallel.h"

namespace convtool {

void paint_edges(const ConstTensorRef& edges, const std::array<double, 3>& color, double full, const TensorRef& picture,
                 int threads) {
  const auto marks = edges.view<std::uint8_t>();
  visit_dtype(picture.dtype, [&]<class T>(T) {
    const auto out = picture.view<T>();
    for (std::size_t c = 0; c < color.size(); ++c) {
      const double value = color[c] * full;
      const auto painted = static_cast<T>(is_integer(picture.dtype) ? std::nearbyint(value) : value);
      for_each_row(picture.shape, threads, [=](std::int64_t n, std::int64_t y) {
        for (std::int64_t x = 0; x < out.shape.w; ++x)
          if (marks.at(n, 0, y, x) != 0) out.at(n, static_cast<std::int64_t>(c), y, x) = painted;
      });
    }
  });
}

}  // namespace convtool
