#include "files/raster_layout.h"

#include "core/error.h"

namespace convtool {

int size_of(StoredType type) {
  switch (type) {
    case StoredType::u8:
    case StoredType::i8: return 1;
    case StoredType::u16:
    case StoredType::i16:
    case StoredType::f16: return 2;
    case StoredType::u32:
    case StoredType::i32:
    case StoredType::f32: return 4;
    case StoredType::u64:
    case StoredType::i64:
    case StoredType::f64: return 8;
    case StoredType::bit: break;
  }
  require(false, "the size of a bit");
  return 0;
}

std::string_view to_string(StoredType type) {
  constexpr std::string_view kNames[] = {"bit", "u8",  "u16", "u32", "u64", "i8",
                                         "i16", "i32", "i64", "f16", "f32", "f64"};
  return kNames[static_cast<int>(type)];
}

bool RasterLayout::may_round() const {
  return dtype == DType::f32 && divisor == 1 && stored != StoredType::bit && size_of(stored) >= 4 &&
         stored != StoredType::f32;
}

std::uint64_t RasterLayout::row_bytes() const {
  const auto values = static_cast<std::uint64_t>(shape.w * (interleaved ? shape.c : 1));
  return stored == StoredType::bit ? (values + 7) / 8 : values * static_cast<std::uint64_t>(size_of(stored));
}

std::uint64_t RasterLayout::row_count() const {
  return static_cast<std::uint64_t>(shape.n * (interleaved ? 1 : shape.c) * shape.h);
}

std::uint64_t RasterLayout::size() const { return row_bytes() * row_count(); }

bool RasterLayout::fits(std::uint64_t file_size) const {
  const std::uint64_t row = row_bytes(), rows = row_count();
  return row > 0 && rows > 0 && offset <= file_size && (file_size - offset) / row >= rows;
}

std::uint64_t RasterLayout::row_offset(std::int64_t item, std::int64_t channel, std::int64_t y) const {
  const std::int64_t plane = interleaved ? item : item * shape.c + channel;
  return offset + row_bytes() * static_cast<std::uint64_t>(plane * shape.h + (bottom_up ? shape.h - 1 - y : y));
}

}  // namespace convtool
