// The values of a picture as a list.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace convtool::testing {

/// The values of a picture, row by row, pixel by pixel, channel by channel.
inline std::vector<double> values(const TensorRef& ref) {
  std::vector<double> values;
  visit_dtype(ref.dtype, [&](auto zero) {
    const auto view = ref.view<decltype(zero)>();
    for (std::int64_t y = 0; y < view.shape.h; ++y)
      for (std::int64_t x = 0; x < view.shape.w; ++x)
        for (std::int64_t c = 0; c < view.shape.c; ++c) values.push_back(static_cast<double>(view.at(0, c, y, x)));
  });
  return values;
}

/// Fills a picture with value_of(i) of type T, where `i` counts in the order of values(). Its data begin at the first
/// channel, which is not where its memory begins: that is in the order B, G, R.
template <class T, class F>
void set_values(const TensorRef& ref, F value_of) {
  const auto view = ref.view<T>();
  std::int64_t i = 0;
  for (std::int64_t y = 0; y < view.shape.h; ++y)
    for (std::int64_t x = 0; x < view.shape.w; ++x)
      for (std::int64_t c = 0; c < view.shape.c; ++c) view.at(0, c, y, x) = value_of(i++);
}

}  // namespace convtool::testing
