// Finds the pixels that the taps of `rows` read: in a float picture itself, or in strips (strips.h).
//
//   outputs      |left|          interior          |right|
//   read from    strip            picture           strip
//
// The interior is where all taps fall inside the picture, cut to whole vectors counted from the first output, so that
// nothing is read past the end of a row and sums may be stored in whole vectors. If the interior is narrower than the
// window, all outputs read from one strip. Integer pictures, strided columns and interleaved channels are always read
// from strips.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/input/strips.h"
#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// The pixel that a tap reads for the first output of a block: its row, counted from the top of the rows that the block
/// uses, and its column in a plane of that row.
struct TapPlace {
  std::int64_t row = 0;
  StripPlace in_row;
};

/// Reads one picture for one thread: slice by slice, and each slice block by block from top to bottom.
class RowReader {
 public:
  /// Neighbouring output columns whose taps read from the same strip or from the picture.
  struct Part {
    std::int64_t begin = 0, count = 0;
    bool in_picture = false;
  };

  /// Blocks use `rows_used` input rows, dilation.h apart; `slots` strips are kept. `input` is the problem's, or its
  /// flat view with `pixel` columns per pixel. Slices of its `width` output columns begin at multiples of `slice`.
  /// Allocates all memory. Throws std::bad_alloc; the other functions do not.
  RowReader(const ConvProblem& problem, std::int64_t pixel, const ConstTensorRef& input, std::int64_t rows_used,
            std::int64_t slots, std::int64_t width, std::int64_t slice);

  /// Starts the slice of output columns from `x` on, and returns its parts.
  const std::vector<Part>& enter_slice(std::int64_t x);

  /// Starts the block whose input rows begin at row `top` of item `n`, which may lie outside the picture.
  void enter_block(std::int64_t n, std::int64_t top);

  /// The pixel that each tap reads for the first output of a part. Valid until the next call of any function.
  const float* const* sources(std::size_t part, const std::vector<TapPlace>& places);

 private:
  /// The rows of a block for one part.
  struct Rows {
    std::int64_t plane_pitch = 0;
    std::vector<const float*> first;  // null for rows of the padding value, which are outside_
  };

  void cut(std::int64_t x);
  const float* picture_row(std::int64_t n, std::int64_t y, std::int64_t begin) const;

  const ConvProblem& problem_;
  const std::int64_t pixel_;
  const ConstTensorRef input_;
  const std::int64_t rows_used_, width_, slice_;
  const bool may_read_picture_;
  std::int64_t slice_begin_ = -1;
  std::vector<Part> parts_;
  std::vector<RowStrips> strips_;  // of the parts that are not in the picture, in order; a slice may use fewer
  std::vector<Rows> rows_;         // by part
  std::vector<float> outside_;     // a row of the padding value
  std::vector<const float*> sources_;
};

}  // namespace convtool
