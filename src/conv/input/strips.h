// Strips: input rows as float rows, with their border columns filled in, ready to be read at any tap.
//
//   picture row          b g r b g r b g r ...                (u8, interleaved)
//   strip, per channel   |border| r r r r r r r |border|      (f32)
//   flat strip           |border| b g r b g r ... |border|    (f32; conv/engine/flat.h)
//
// With a stride, columns are split by phase, strip[phase][k] = x[k * stride + phase], so that strided taps are
// contiguous too. Rows outside the picture share one strip of the padding value. A cache keeps the strips of a window
// until the window has passed.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/input/row_slots.h"
#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// A column of a plane of a strip.
struct StripPlace {
  std::int64_t plane = 0, column = 0;
};

/// The layout of a strip that serves `width` neighbouring output columns: one plane per channel and phase. A flat view
/// has one plane, with `pixel` columns per pixel.
struct StripLayout {
  std::int64_t pixel = 1;         ///< columns per pixel: 1, or the channels of a flat view
  std::int64_t stride = 1;        ///< phases; 1 in a flat view
  std::int64_t padded_width = 0;  ///< columns that the outputs see, borders included
  std::int64_t phase_length = 0;  ///< floats from one plane to the next
  std::int64_t planes = 1;        ///< channels times phases

  StripLayout(const ConvProblem& problem, std::int64_t pixel, std::int64_t width);

  std::int64_t size() const { return planes * phase_length; }

  /// The place of the first output's pixel for the tap of channel `c` at column `column` of the dilated kernel.
  StripPlace tap(std::int64_t c, std::int64_t column) const {
    return {.plane = c * stride + column % stride, .column = column / stride * pixel};
  }
};

/// The strips of recent rows of one picture. Not thread-safe.
class RowStrips {
 public:
  /// Keeps `slots` strips, of this layout or of smaller ones. `input` is the problem's, or its flat view. Throws
  /// std::bad_alloc; the other functions do not.
  RowStrips(const ConvProblem& problem, const StripLayout& layout, const ConstTensorRef& input, std::int64_t slots);

  const StripLayout& layout() const { return layout_; }

  /// Empties the cache, for strips of a layout that is no larger than the constructor's.
  void lay_out(const StripLayout& layout);

  /// Empties the cache; from now on strips begin with the first pixel that output column `x` sees.
  void move_to(std::int64_t x);

  /// The strip of row `y` of item `n`, which may lie outside the picture. Valid until `slots` other strips are
  /// requested.
  const float* row(std::int64_t n, std::int64_t y);

 private:
  template <class In>
  void fill(const TensorView<const In>& x, std::int64_t n, std::int64_t y, float* strip);

  const ConvProblem& problem_;
  StripLayout layout_;
  const ConstTensorRef input_;
  std::int64_t first_ = 0;  // the column of the padded picture that strips begin with
  std::vector<float> floats_;
  RowSlots slots_;
  std::vector<float> outside_;  // a strip of the padding value
  std::vector<float> line_;     // padded rows before they are split into phases
};

}  // namespace convtool
