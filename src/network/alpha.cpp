#include "network/alpha.h"

#include <algorithm>
#include <cmath>

namespace convtool {

void resample_alpha(const ConstTensorRef& input, const ReceptiveField& field, const TensorRef& output) {
  require(input.shape.c == 1 && output.shape.c == 1 && input.shape.n == output.shape.n, "alpha has one channel");
  const double from = is_integer(input.dtype) ? full_range(input.dtype) : 1.0;
  const double scale = is_integer(output.dtype) ? full_range(output.dtype) / from : 1.0;
  visit_dtype(input.dtype, [&]<class In>(In) {
    visit_dtype(output.dtype, [&]<class Out>(Out) {
      const auto in = input.view<In>();
      const auto out = output.view<Out>();
      for (std::int64_t n = 0; n < out.shape.n; ++n) {
        for (std::int64_t i = 0; i < out.shape.h; ++i) {
          const std::int64_t y = std::clamp<std::int64_t>(field.h.centre(i), 0, in.shape.h - 1);
          for (std::int64_t j = 0; j < out.shape.w; ++j) {
            const std::int64_t x = std::clamp<std::int64_t>(field.w.centre(j), 0, in.shape.w - 1);
            const double value = static_cast<double>(in.at(n, 0, y, x)) * scale;
            if constexpr (std::is_same_v<Out, float>) {
              out.at(n, 0, i, j) = static_cast<float>(value);
            } else {  // NaN becomes 0: fmax returns its other argument
              out.at(n, 0, i, j) =
                  static_cast<Out>(std::fmin(std::nearbyint(std::fmax(value, 0.0)), full_range(output.dtype)));
            }
          }
        }
      }
    });
  });
}

}  // namespace convtool
