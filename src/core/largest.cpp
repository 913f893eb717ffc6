#include "core/largest.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "core/parallel.h"

namespace convtool {

double largest_magnitude(const ConstTensorRef& tensor, int threads) {
  std::mutex mutex;
  double largest = 0;
  visit_dtype(tensor.dtype, [&]<class T>(T) {
    const auto view = tensor.view<T>();
    for_each_row(tensor.shape, threads, [&](std::int64_t n, std::int64_t y) {
      T in_row = 0;
      for (std::int64_t c = 0; c < view.shape.c; ++c) {
        const T* const row = view.row(n, c, y);
        for (std::int64_t x = 0; x < view.shape.w; ++x) {
          T value = row[x * view.strides.w];
          if constexpr (std::is_floating_point_v<T>) value = std::isfinite(value) ? std::fabs(value) : T{0};
          in_row = std::max(in_row, value);
        }
      }
      const std::lock_guard lock(mutex);
      largest = std::max(largest, static_cast<double>(in_row));
    });
  });
  return largest;
}

}  // namespace convtool
