// Values that a file stores in rows, without compression: where they lie, their type, and their meaning.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/tensor.h"
#include "files/buffer.h"

namespace convtool {

/// The type of a stored value. Bits are those of PBM: eight to a byte, the highest first, in rows of whole bytes; 0 is
/// white and 1 is black.
enum class StoredType : std::uint8_t { bit, u8, u16, u32, u64, i8, i16, i32, i64, f16, f32, f64 };

/// In bytes; not for bits.
int size_of(StoredType type);

/// "f64".
std::string_view to_string(StoredType type);

/// The place and form of n x c x h x w values in a file.
struct RasterLayout {
  std::string_view format;   ///< in messages: ".npy"
  Shape shape;               ///< colours in the order R, G, B
  std::uint64_t offset = 0;  ///< of the first stored byte, in the file
  StoredType stored = StoredType::f32;
  std::endian order = std::endian::native;  ///< of the bytes of a value
  bool interleaved = false;                 ///< the channels of a pixel follow one another; otherwise those of a plane
  bool bottom_up = false;                   ///< the last row is stored first

  DType dtype = DType::f32;                            ///< of the values in memory
  std::optional<std::int64_t> largest = std::nullopt;  ///< scaled to the full range of `dtype`, if it is less than that
  double divisor = 1;                                  ///< of floats

  /// Whether values may lose digits: they have more than `dtype` holds.
  bool may_round() const;

  /// The number of stored rows: of all items and, unless they are interleaved, of all channels.
  std::uint64_t row_count() const;
  /// A stored row in bytes: of one channel, or of all channels if they are interleaved.
  std::uint64_t row_bytes() const;
  /// All stored rows in bytes.
  std::uint64_t size() const;
  /// Whether there are values, and all of them lie in a file of `file_size` bytes. No size overflows.
  bool fits(std::uint64_t file_size) const;
  /// The offset of a stored row in the file; `channel` does not count if channels are interleaved.
  std::uint64_t row_offset(std::int64_t item, std::int64_t channel, std::int64_t y) const;
};

/// A band of a raster: rows [row, row + values.shape.h) of channels [channel, channel + values.shape.c) of one item.
struct Band {
  std::int64_t item = 0, channel = 0, row = 0;
};

/// A raster to be written: the bytes before its values, and their layout. The stored type is that of the values.
struct RasterFormat {
  Bytes header;
  RasterLayout layout;  ///< `offset` is the size of the header
};

}  // namespace convtool
