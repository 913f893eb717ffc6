#include "cli/job/row_feed.h"

#include <algorithm>
#include <cstring>

#include "core/stopwatch.h"

namespace convtool {
namespace {

/// The same memory from its first byte on.
TensorRef blue_first(TensorRef rows) {
  rows.data = static_cast<std::byte*>(rows.data) + (rows.shape.c - 1) * rows.strides.c * size_of(rows.dtype);
  rows.strides.c = -rows.strides.c;
  return rows;
}

}  // namespace

RowFeed::RowFeed(PictureRows& rows, const Shape& shape, DType dtype, bool makes_grey, std::int64_t kept)
    : rows_(rows),
      dtype_(dtype),
      height_(shape.h),
      kept_(dtype, {.n = 1, .c = makes_grey ? 1 : shape.c, .h = std::min(kept, height_), .w = shape.w}) {
  if (makes_grey) colours_.emplace(dtype_, PixelFormat::rgb, kColourRows, shape.w);
}

void RowFeed::read(std::int64_t first, const TensorRef& to) {
  const Stopwatch watch;
  const std::int64_t last = first + to.shape.h;
  if (first > next_) skip(first - next_);
  const std::int64_t again = std::clamp<std::int64_t>(next_ - first, 0, to.shape.h);
  if (again > 0) copy_kept(first, to.rows(0, again));
  if (last > next_) decode(to.rows(again, to.shape.h - again));
  seconds_ += watch.seconds();
}

bool RowFeed::finish() {
  const Stopwatch watch;
  skip(height_ - next_);
  const bool is_sound = rows_.is_sound();
  seconds_ += watch.seconds();
  return is_sound;
}

std::size_t RowFeed::row_bytes() const {
  return static_cast<std::size_t>(kept_.shape().c * kept_.shape().w * size_of(dtype_));
}

std::byte* RowFeed::kept_row(std::int64_t y) {
  return static_cast<std::byte*>(kept_.ref().data) + static_cast<std::size_t>(y) * row_bytes();
}

void RowFeed::copy_kept(std::int64_t first, const TensorRef& to) {
  const std::int64_t oldest = next_ - held_;
  if (first < oldest) throw NoMoreRows();
  std::memcpy(to.data, kept_row(first - oldest), static_cast<std::size_t>(to.shape.h) * row_bytes());
}

void RowFeed::skip(std::int64_t count) {
  constexpr std::int64_t kAtATime = 16;
  Shape shape = kept_.shape();
  shape.h = std::min(count, kAtATime);
  if (count == 0) return;
  Tensor memory(dtype_, shape);
  for (; count > 0; count -= shape.h) {
    shape.h = std::min(count, kAtATime);
    decode(channels_last(memory).rows(0, shape.h));
  }
}

void RowFeed::decode(const TensorRef& to) {
  if (!(colours_ ? decode_luma(to) : rows_.read(to))) throw NoMoreRows();
  next_ += to.shape.h;
  keep(to);
}

bool RowFeed::decode_luma(const TensorRef& to) {
  auto* out = static_cast<std::byte*>(to.data);
  for (std::int64_t y = 0; y < to.shape.h;) {
    const std::int64_t count = std::min(kColourRows, to.shape.h - y);
    if (!rows_.read(blue_first(colours_->all().rows(0, count)))) return false;
    const Image luma = colours_->to_luma();
    for (std::int64_t i = 0; i < count; ++i, ++y, out += row_bytes())
      std::memcpy(out, luma.all().rows(i, 1).data, row_bytes());
  }
  return true;
}

void RowFeed::keep(const TensorRef& rows) {
  const std::int64_t most = kept_.shape().h, added = std::min(rows.shape.h, most);
  const std::int64_t older = std::min(held_, most - added);
  std::memmove(kept_row(0), kept_row(held_ - older), static_cast<std::size_t>(older) * row_bytes());
  std::memcpy(kept_row(older), rows.rows(rows.shape.h - added, added).data,
              static_cast<std::size_t>(added) * row_bytes());
  held_ = older + added;
}

}  // namespace convtool
