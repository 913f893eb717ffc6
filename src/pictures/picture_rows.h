// Decoding a picture row by row, so that its first rows can be used while the others are still in the file.
#pragma once

#include "core/tensor.h"

namespace convtool {

/// The order of colours in memory; that of Image is bgr.
enum class ColourOrder { rgb, bgr };

/// Decodes the rows of a picture once, from the first to the last, none before the first read. Used by one thread at a
/// time.
class PictureRows {
 public:
  virtual ~PictureRows() = default;

  /// Fills `rows` with the next ones: one item of the header's type, all channels, interleaved without gaps. Returns
  /// false if the file is damaged. Throws std::bad_alloc.
  [[nodiscard]] virtual bool read(const TensorRef& rows) = 0;

  /// After the last row: whether the rest of the file is sound too. Throws std::bad_alloc.
  [[nodiscard]] virtual bool is_sound() = 0;
};

}  // namespace convtool
