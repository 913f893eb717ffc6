// Reading a row of the padded picture as floats. Internal to conv/.
#pragma once

#include <algorithm>
#include <cstdint>

#include "conv/engine/simd.h"
#include "conv/padding.h"
#include "core/tensor.h"

namespace convtool {

/// Writes `count` pixels of row `y` of channel `c` of item `n`, from column `left` on, to `floats`. Rows and columns
/// outside the picture are filled by the problem's padding.
template <class T>
void read_padded_row(const TensorView<const T>& x, const ConvProblem& problem, std::int64_t n, std::int64_t c,
                     std::int64_t y, std::int64_t left, std::int64_t count, float* floats) {
  const std::int64_t row = pad_index(problem.padding_mode, y, x.shape.h);
  if (row == kOutside) {
    std::fill_n(floats, count, problem.padding_value);
    return;
  }
  const T* pixels = x.row(n, c, row);
  const auto read_border = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t column = pad_index(problem.padding_mode, left + i, x.shape.w);
      floats[i] = column == kOutside ? problem.padding_value : static_cast<float>(pixels[column * x.strides.w]);
    }
  };
  const std::int64_t begin = std::clamp<std::int64_t>(-left, 0, count);
  const std::int64_t end = std::clamp<std::int64_t>(x.shape.w - left, begin, count);
  read_border(0, begin);
  if (begin < end) to_floats(pixels + (left + begin) * x.strides.w, x.strides.w, end - begin, floats + begin);
  read_border(end, count);
}

}  // namespace convtool
