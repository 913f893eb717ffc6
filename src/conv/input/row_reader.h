// What the taps of `rows` read: float pictures where they lie, and strips (strips.h) elsewhere.
//
//   outputs      |left|          interior          |right|
//   read from    strip            picture           strip
//
// An interior is where all taps fall inside the picture, cut to whole vectors counted from the first output, so that
// nothing is read past the end of a row, and sums have room for theirs. One narrower than the window is not worth the
// strips beside it. Pictures of integers, strided columns and pixels whose channels are
// neighbours are read from strips throughout.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/input/strips.h"
#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// What a tap reads for the first output of a block: one of the rows that the block uses, counted from its top, and of
/// it a column of a plane.
struct TapPlace {
  std::int64_t row = 0;
  StripPlace in_row;
};

/// Reads one picture for one thread: panel by panel, and down each panel block by block.
class RowReader {
 public:
  /// Neighbouring output columns whose taps read from one place.
  struct Segment {
    std::int64_t begin = 0, count = 0;
    bool in_picture = false;
  };

  /// Blocks use `rows_used` input rows, dilation.h apart; `slots` strips are kept. `input` is the problem's, or its
  /// flat view with `pixel` columns to a pixel. Throws std::bad_alloc.
  RowReader(const ConvProblem& problem, std::int64_t pixel, const ConstTensorRef& input, std::int64_t rows_used,
            std::int64_t slots);

  /// From now on outputs are [x, x + count). Returns them by segments. Throws std::bad_alloc.
  const std::vector<Segment>& enter_panel(std::int64_t x, std::int64_t count);

  /// From now on blocks use rows from `top` of item `n` on, any row: the padding mode says which row stands there.
  void enter_block(std::int64_t n, std::int64_t top);

  /// What each tap reads for the first output of a segment. Valid until the next call of any function.
  const float* const* sources(std::size_t segment, const std::vector<TapPlace>& places);

 private:
  /// The rows of a block for one segment.
  struct Rows {
    std::int64_t plane_pitch = 0;
    std::vector<const float*> first;  // null: outside the picture, where each column of each plane is the same
  };

  const float* picture_row(std::int64_t n, std::int64_t y, std::int64_t begin) const;

  const ConvProblem& problem_;
  const std::int64_t pixel_;
  const ConstTensorRef input_;
  const std::int64_t rows_used_, slots_;
  const bool may_read_picture_;
  std::vector<Segment> segments_;
  std::vector<RowStrips> strips_;  // of the segments that are not in the picture, in order
  std::vector<Rows> rows_;         // by segment
  std::vector<float> outside_;     // a row of the padding value
  std::vector<const float*> sources_;
};

}  // namespace convtool
