// A convolution along its rows, and along its columns.
#pragma once

#include <cstdint>

#include "conv/padding.h"
#include "core/tensor.h"

namespace convtool {

struct Axis {
  std::int64_t in = 0, kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;

  std::int64_t padded() const { return in + pad_begin + pad_end; }
  std::int64_t extent() const { return dilation * (kernel - 1) + 1; }  ///< of the dilated kernel
};

struct Axes {
  Axis rows, columns;
};

inline Axes axes_of(const Shape& input, const Extent& kernel, const Extent& stride, const Extent& dilation,
                    const Pads& pads) {
  return {.rows = {input.h, kernel.h, stride.h, dilation.h, pads.top, pads.bottom},
          .columns = {input.w, kernel.w, stride.w, dilation.w, pads.left, pads.right}};
}

}  // namespace convtool
