// The rows of a picture that is being decoded, for readers that want some of them twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/tensor.h"
#include "pictures/image.h"
#include "pictures/picture_rows.h"

namespace convtool {

/// Thrown where a file turns out to be damaged, or a row is asked for that is gone. Then the whole picture is needed.
struct NoMoreRows {};

/// Decodes rows from the first to the last, and keeps some of them. Used by one thread at a time.
class RowFeed {
 public:
  /// Keeps the last `kept` rows that were decoded. `shape` and `dtype` are those of `rows`, which outlive the feed.
  /// With `makes_grey` they have colours, in the order of Image (blue first), and their luma is fed.
  RowFeed(PictureRows& rows, const Shape& shape, DType dtype, bool makes_grey, std::int64_t kept);

  /// Fills `to`, without gaps, with the rows from `first` on: any after the last row decoded, and those that are kept.
  /// Throws NoMoreRows, std::bad_alloc.
  void read(std::int64_t first, const TensorRef& to);

  /// Decodes the rows that nobody has asked for. Returns whether the file is sound. Throws as read() does.
  bool finish();

  double seconds() const { return seconds_; }  ///< that decoding took

 private:
  static constexpr std::int64_t kColourRows = 8;  // that are converted to luma at a time

  std::size_t row_bytes() const;
  std::byte* kept_row(std::int64_t y);
  void copy_kept(std::int64_t first, const TensorRef& to);
  void skip(std::int64_t count);
  void decode(const TensorRef& to);
  bool decode_luma(const TensorRef& to);
  void keep(const TensorRef& rows);

  PictureRows& rows_;
  const DType dtype_;
  const std::int64_t height_;
  Tensor kept_;  // interleaved
  std::optional<Image> colours_;
  std::int64_t next_ = 0, held_ = 0;  // the next row to be decoded, and how many before it are kept
  double seconds_ = 0;
};

}  // namespace convtool
