// Internal to pictures/: strips and tiles of a TIFF, decoded one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "pictures/tiff/deflate_check.h"
#include "pictures/tiff/layout.h"
#include "pictures/tiff/libtiff_file.h"

namespace convtool {

/// Decodes a TIFF in parts: strips, tiles, or rows of uncompressed strips. Checks that libtiff decodes each part to its
/// end. libtiff returns success in some cases where it has lost pixels, so there are three checks: the result, messages
/// (TiffInput::has_complaints()), and the memory, which is filled with a pattern before: bytes that still have it were
/// not decoded.
class TiffBlockReader {
 public:
  /// Reads from `file` a picture of `width` columns. All arguments must outlive the reader. `spare` is that of the
  /// picture.
  TiffBlockReader(TiffInput& file, const TiffLayout& layout, std::int64_t width, SpareBytes& spare);

  std::int64_t part_width() const { return static_cast<std::int64_t>(layout_.block_width); }
  std::int64_t part_height() const { return by_rows_ ? 1 : static_cast<std::int64_t>(layout_.block_height); }

  /// The distance in bytes between the rows of a part.
  std::size_t row_bytes() const { return row_bytes_; }

  /// The part of a plane whose upper left pixel is (x, y), with `rows` rows if it is not a tile. Valid until the next
  /// call. Throws Error(input) if it is damaged.
  const std::byte* read(int plane, std::int64_t x, std::int64_t y, std::int64_t rows);

 private:
  /// Decodes the part to `size` bytes. Whether libtiff finds no fault.
  bool decode(int plane, std::int64_t x, std::int64_t y, std::size_t size);

  TiffInput& file_;
  const TiffLayout& layout_;
  DeflateCheck deflate_check_;
  const bool by_rows_;
  std::size_t row_bytes_;
  std::unique_ptr<std::byte[]> part_;
};

}  // namespace convtool
