#include "conv/input/row_reader.h"

#include <algorithm>
#include <array>

#include "conv/engine/simd.h"
#include "conv/padding.h"

namespace convtool {
namespace {

constexpr std::size_t kMostParts = 3;  // left, interior and right

}  // namespace

RowReader::RowReader(const ConvProblem& problem, std::int64_t pixel, const ConstTensorRef& input,
                     std::int64_t rows_used, std::int64_t slots, std::int64_t width, std::int64_t slice)
    : problem_(problem),
      pixel_(pixel),
      input_(input),
      rows_used_(rows_used),
      width_(width),
      slice_(slice),
      may_read_picture_(input.dtype == DType::f32 && input.strides.w == 1 && problem.stride.w == 1) {
  // Slices differ in their parts, so each is looked at for the most that is needed.
  std::size_t most_parts = 0;
  std::int64_t most_inside = 0;
  std::array<std::int64_t, kMostParts> most_columns{};  // of the first part that has a strip, the second, ...
  parts_.reserve(kMostParts);
  for (std::int64_t x = 0; x < width; x += slice) {
    cut(x);
    most_parts = std::max(most_parts, parts_.size());
    auto most = most_columns.begin();
    for (const Part& part : parts_) {
      if (part.in_picture)
        most_inside = std::max(most_inside, part.count);
      else
        *most = std::max(*most, part.count), ++most;
    }
  }
  strips_.reserve(kMostParts);
  for (const std::int64_t columns : most_columns)
    if (columns > 0) strips_.emplace_back(problem, StripLayout(problem, pixel, columns), input, slots);
  outside_.assign(static_cast<std::size_t>(most_inside), problem.padding_value);
  rows_.assign(most_parts, {.first = std::vector<const float*>(static_cast<std::size_t>(rows_used))});
  sources_.reserve(static_cast<std::size_t>(problem.kernel.c_i_per_group * rows_used * problem.kernel.kw));
}

/// Cuts the slice from column `x` on into parts_.
void RowReader::cut(std::int64_t x) {
  const std::int64_t count = std::min(slice_, width_ - x), left = problem_.pads.left * pixel_, end = x + count;
  const std::int64_t reach = (dilated_kernel(problem_.kernel, problem_.dilation).w - 1) * pixel_;
  // Whole vectors, so that sums can be stored in place.
  const std::int64_t begin = x + (std::clamp(left, x, end) - x + float_lanes() - 1) / float_lanes() * float_lanes();
  const std::int64_t inside = std::max<std::int64_t>(0, std::min(input_.shape.w - reach + left, end) - begin);
  // The parts on both sides have strips of their own, each `reach` wider than its outputs. Together they are no larger
  // than the strips of all outputs would be, apart from slack.
  std::int64_t interior = inside - inside % float_lanes();
  if (!may_read_picture_ || interior < reach) interior = 0;

  parts_.clear();
  const auto add = [&](std::int64_t from, std::int64_t until, bool in_picture) {
    if (from < until) parts_.push_back({.begin = from, .count = until - from, .in_picture = in_picture});
  };
  if (interior == 0) return add(x, end, false);
  add(x, begin, false);
  add(begin, begin + interior, true);
  add(begin + interior, end, false);
}

const std::vector<RowReader::Part>& RowReader::enter_slice(std::int64_t x) {
  if (x == slice_begin_) return parts_;
  slice_begin_ = x;
  cut(x);
  auto strips = strips_.begin();
  for (const Part& part : parts_) {
    if (part.in_picture) continue;
    strips->lay_out(StripLayout(problem_, pixel_, part.count));
    strips->move_to(part.begin);
    ++strips;
  }
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
