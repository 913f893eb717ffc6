// Decoding a picture row by row, so that its first rows can be used while the others are still in the file.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/tensor.h"
#include "pictures/picture_header.h"

namespace convtool {

/// The order of colours in memory; that of Image is bgr.
enum class ColourOrder { rgb, bgr };

/// Decodes the rows of a picture once, from the first to the last. Used by one thread at a time.
class PictureRows {
 public:
  virtual ~PictureRows() = default;

  /// Fills `rows` with the next ones: one item of the header's type, all channels, interleaved without gaps. Returns
  /// false if the file is damaged. Throws std::bad_alloc.
  [[nodiscard]] virtual bool read(const TensorRef& rows) = 0;

  /// After the last row: whether the rest of the file is sound too.
  [[nodiscard]] virtual bool is_sound() = 0;
};

/// Decodes `bytes`, a file whose read_small_header() is `header`, while they are valid. `order` is that of colours;
/// with alpha they are always in R, G, B. The pixels are those of decode_image(). Returns null for pictures that are
/// decoded as a whole: those in other formats than PNG and JPEG, that are not stored upright and row by row, or are
/// unusual in other ways. Where a read fails, decode_image() says what is wrong, or what a damaged file is worth.
std::unique_ptr<PictureRows> open_picture_rows(std::span<const std::byte> bytes, const PictureHeader& header,
                                               ColourOrder order);

}  // namespace convtool
