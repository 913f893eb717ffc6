// Input rows as floats with the channels of a pixel side by side, borders included. Internal to conv/.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// One row: channel c of padded column x, which is picture column x - pads.left, is (*this)(x)[c].
struct ChannelStrip {
  const float* floats = nullptr;
  std::int64_t first = 0;  ///< the padded column that `floats` begins with
  std::int64_t step = 0;   ///< floats from one column to the next

  const float* operator()(std::int64_t column) const { return floats + (column - first) * step; }
};

/// The strips of one input and one thread, made when first asked for. Refers to the problem and the input, which
/// outlive it.
class ChannelStrips {
 public:
  /// How strips are made and kept.
  struct Options {
    std::int64_t output_rows =
        1;                     ///< the strips that a block of so many output rows sees are held at once, and of a
                               ///< dilated window also those it comes back to, while a second-level cache holds them
    bool with_borders = true;  ///< false: no column or row outside the picture will be read
    bool with_slack = false;   ///< true: kRowSlack floats past a pixel's channels may be read
  };

  /// Rows that are floats in this order already are not copied when no column outside the picture is read: when outputs
  /// see none, or without borders.
  ChannelStrips(const ConvProblem& problem, const ConstTensorRef& input, const Options& options);

  /// The strip at row `y` of item `n`, `y` beyond the picture included. Valid until strips of another block are asked
  /// for.
  ChannelStrip row(std::int64_t n, std::int64_t y);

  /// Floats from one column to the next.
  std::int64_t step() const { return step_; }

  /// Padded columns that outputs see.
  static std::int64_t width(const ConvProblem& problem);

  /// What a thread holds at least, in bytes: a double, since strides and pads may be as large as they like.
  static double bytes(const ConvProblem& problem, std::int64_t output_rows);

 private:
  struct Slot {
    std::int64_t n = -1, y = -1;
    std::int64_t last_used = -1;
  };

  template <class In>
  void fill(std::int64_t n, std::int64_t y, float* strip);

  const ConvProblem& problem_;
  const ConstTensorRef& input_;
  const bool in_place_;
  const std::int64_t width_;  // columns that outputs see
  const std::int64_t step_;
  std::int64_t now_ = 0;  // calls of row()
  std::vector<Slot> slots_;
  Tensor floats_;  // aligned
  std::vector<float> outside_, planes_;
};

}  // namespace convtool
