// Strips: input rows as float rows, with their border columns filled in, ready to be read at any tap.
//
//   picture row          b g r b g r b g r ...                (u8, interleaved)
//   strip, per channel   |border| r r r r r r r |border|      (f32)
//   flat strip           |border| b g r b g r ... |border|    (f32; conv/engine/flat.h)
//
// Columns are split by phase for strides, strip[phase][k] = x[k * stride + phase], so that strided taps are contiguous
// too. Rows outside the picture are one strip of the padding value. A cache keeps the strips of a window until it has
// passed.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// A column of a plane of a strip.
struct StripPlace {
  std::int64_t plane = 0, column = 0;
};

/// Where things lie in a strip that serves `width` neighbouring output columns: one plane for each channel and phase.
/// In the flat view there is one plane, and columns of it are counted, `pixel` of them to a pixel.
struct StripLayout {
  std::int64_t pixel = 1;         ///< columns to a pixel: 1, or the channels of a flat view
  std::int64_t stride = 1;        ///< phases; 1 in a flat view
  std::int64_t padded_width = 0;  ///< columns that the outputs see, borders included
  std::int64_t phase_length = 0;  ///< floats from one plane to the next
  std::int64_t planes = 1;        ///< channels times phases

  StripLayout(const ConvProblem& problem, std::int64_t pixel, std::int64_t width);

  std::int64_t size() const { return planes * phase_length; }

  /// Where the tap of channel `c` at column `column` of the dilated kernel finds the first output's pixel.
  StripPlace tap(std::int64_t c, std::int64_t column) const {
    return {.plane = c * stride + column % stride, .column = column / stride * pixel};
  }
};

/// The strips of recent rows of one picture. Not for several threads.
class RowStrips {
 public:
  /// Keeps `slots` strips. `input` is the problem's, or its flat view. Throws std::bad_alloc.
  RowStrips(const ConvProblem& problem, const StripLayout& layout, const ConstTensorRef& input, std::int64_t slots);

  const StripLayout& layout() const { return layout_; }

  /// From now on strips begin with what output column `x` sees first.
  void move_to(std::int64_t x);

  /// The strip that holds row `y` of item `n`, any y: the padding mode says which row stands there. Valid until `slots`
  /// others have been asked for.
  const float* row(std::int64_t n, std::int64_t y);

 private:
  template <class In>
  void fill(const TensorView<const In>& x, std::int64_t n, std::int64_t y, float* strip);

  const ConvProblem& problem_;
  const StripLayout layout_;
  const ConstTensorRef input_;
  std::int64_t first_ = 0;  // the column of the padded picture that strips begin with
  std::vector<float> floats_;
  std::vector<std::int64_t> rows_;       // the row in each slot, counted through the batch, or kEmpty
  std::vector<std::int64_t> last_used_;  // by the count of row()
  std::vector<float> outside_;           // a strip of the padding value
  std::vector<float> line_;              // padded rows before they are split into phases
  std::int64_t now_ = 0;
};

}  // namespace convtool
