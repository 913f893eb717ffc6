#include "conv/input/row_reader.h"

#include <algorithm>

#include "conv/engine/simd.h"
#include "conv/padding.h"

namespace convtool {

RowReader::RowReader(const ConvProblem& problem, std::int64_t pixel, const ConstTensorRef& input,
                     std::int64_t rows_used, std::int64_t slots)
    : problem_(problem),
      pixel_(pixel),
      input_(input),
      rows_used_(rows_used),
      slots_(slots),
      may_read_picture_(input.dtype == DType::f32 && input.strides.w == 1 && problem.stride.w == 1) {}

const std::vector<RowReader::Part>& RowReader::enter_slice(std::int64_t x, std::int64_t count) {
  const std::int64_t left = problem_.pads.left * pixel_, end = x + count;
  const std::int64_t reach = (dilated_kernel(problem_.kernel, problem_.dilation).w - 1) * pixel_;
  // Whole vectors, so that sums can be stored in place.
  const std::int64_t begin = x + (std::clamp(left, x, end) - x + float_lanes() - 1) / float_lanes() * float_lanes();
  const std::int64_t inside = std::max<std::int64_t>(0, std::min(input_.shape.w - reach + left, end) - begin);
  // The parts on both sides have strips of their own, each `reach` wider than its outputs. Together they are no larger
  // than the strips of all outputs would be, apart from slack.
  std::int64_t interior = inside - inside % float_lanes();
  if (!may_read_picture_ || interior < reach) interior = 0;

  parts_.clear();
  strips_.clear();
  const auto add = [&](std::int64_t from, std::int64_t until, bool in_picture) {
    if (from == until) return;
    parts_.push_back({.begin = from, .count = until - from, .in_picture = in_picture});
    if (in_picture) return;
    strips_.emplace_back(problem_, StripLayout(problem_, pixel_, until - from), input_, slots_);
    strips_.back().move_to(from);
  };
  if (interior == 0) {
    add(x, end, false);
  } else {
    add(x, begin, false);
    add(begin, begin + interior, true);
    add(begin + interior, end, false);
    outside_.assign(static_cast<std::size_t>(interior), problem_.padding_value);
  }
  rows_.assign(parts_.size(), {.first = std::vector<const float*>(static_cast<std::size_t>(rows_used_))});
  return parts_;
}

void RowReader::enter_block(std::int64_t n, std::int64_t top) {
  auto strips = strips_.begin();
  for (std::size_t s = 0; s < parts_.size(); ++s) {
    const Part& part = parts_[s];
    Rows& rows = rows_[s];
    rows.plane_pitch = part.in_picture ? input_.strides.c : strips->layout().phase_length;
    for (std::int64_t i = 0; i < rows_used_; ++i) {
      const std::int64_t y = top + i * problem_.dilation.h;
      rows.first[static_cast<std::size_t>(i)] = part.in_picture ? picture_row(n, y, part.begin) : strips->row(n, y);
    }
    if (!part.in_picture) ++strips;
  }
}

/// The pixel of row `y` that the first kernel column sees for output column `begin`.
const float* RowReader::picture_row(std::int64_t n, std::int64_t y, std::int64_t begin) const {
  const std::int64_t seen = pad_index(problem_.padding_mode, y, problem_.input.h);
  if (seen == kOutside) return nullptr;
  return input_.view<float>().row(n, 0, seen) + (begin - problem_.pads.left * pixel_);
}

const float* const* RowReader::sources(std::size_t part, const std::vector<TapPlace>& places) {
  const Rows& rows = rows_[part];
  sources_.clear();
  for (const TapPlace& place : places) {
    const float* row = rows.first[static_cast<std::size_t>(place.row)];
    sources_.push_back(row == nullptr ? outside_.data()
                                      : row + place.in_row.plane * rows.plane_pitch + place.in_row.column);
  }
  return sources_.data();
}

}  // namespace convtool
