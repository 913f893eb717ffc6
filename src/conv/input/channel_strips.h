// Channels-last strips: input rows as floats with interleaved channels, borders included. Internal to conv/.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/input/row_slots.h"
#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// One row: channel c of padded column x, which is picture column x - pads.left, is (*this)(x)[c].
struct ChannelStrip {
  const float* floats = nullptr;
  std::int64_t first = 0;  ///< the padded column at `floats`
  std::int64_t step = 0;   ///< floats from one column to the next

  const float* operator()(std::int64_t column) const { return floats + (column - first) * step; }
};

/// A cache of the strips of one input for one thread; each is filled on first use. Refers to the problem and the input,
/// which must outlive it.
class ChannelStrips {
 public:
  /// How strips are filled and kept.
  struct Options {
    std::int64_t output_rows = 1;  ///< output rows of a block: their strips are kept, and with
                                   ///< dilation those in between too, as far as kCacheBytes allows
    bool with_borders = true;      ///< false: the caller reads no column or row outside the picture
    bool with_slack = false;       ///< true: the caller may read kRowSlack floats past the channels of a pixel
  };

  /// Float rows that are already in this order are not copied if no column outside the picture is read, because outputs
  /// see none or `with_borders` is false. Throws std::bad_alloc; row() does not.
  ChannelStrips(const ConvProblem& problem, const ConstTensorRef& input, const Options& options);

  /// The strip of row `y` of item `n`, which may lie outside the picture. Valid until strips of another block are
  /// requested.
  ChannelStrip row(std::int64_t n, std::int64_t y);

  /// Floats from one column to the next.
  std::int64_t step() const { return step_; }

  /// Padded columns that outputs see.
  static std::int64_t width(const ConvProblem& problem);

  /// The least memory of a thread, in bytes. A double, since large strides and pads would overflow an integer.
  static double bytes(const ConvProblem& problem, std::int64_t output_rows);

 private:
  template <class In>
  void fill(std::int64_t n, std::int64_t y, float* strip);

  const ConvProblem& problem_;
  const ConstTensorRef& input_;
  const bool in_place_;
  const std::int64_t width_;  // columns that outputs see
  const std::int64_t step_;
  RowSlots slots_;
  Tensor floats_;  // aligned
  std::vector<float> outside_, planes_;
};

}  // namespace convtool
