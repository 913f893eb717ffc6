// Sums of outer products of pixels: the pixel that each of several taps sees, times all outputs of a pixel. The row
// function of weight_gradient.h for layers with enough outputs to fill vectors. Internal to conv/.
#pragma once

#include <cstdint>

#include "conv/gradients/row_products.h"

namespace convtool {

/// Rows of pixels, each with `outputs` floats, padded with zeros to `pitch`, a whole number of vectors.
struct PixelRows {
  const float* const* rows = nullptr;
  std::int64_t outputs = 0, pitch = 0;
};

/// The most outputs that fit in registers: a whole number of vectors.
std::int64_t most_pixel_outputs();

/// sums[a * pitch + o] += the sum over i < height and j < width of row i of list a of `taps`, at j, times output o of
/// pixel j of row i of `pixels`, which has at most most_pixel_outputs() outputs. Products are added up in float, one
/// after the other by fused multiply-adds where the instruction set has them.
void add_pixel_products(const RowLists& taps, const PixelRows& pixels, std::int64_t height, std::int64_t width,
                        double* sums, std::int64_t pitch);

}  // namespace convtool
