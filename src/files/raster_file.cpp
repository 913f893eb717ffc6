#include "files/raster_file.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "files/raster_values.h"

namespace convtool {
namespace {

/// Stored bytes that are converted at a time: they stay in a core's cache.
constexpr std::int64_t kPieceBytes = 256 << 10;
/// Shorter rows are not worth a system call each.
constexpr std::int64_t kLongRow = 16 << 10;

std::int64_t rows_per_piece(const RasterLayout& layout) {
  return std::max<std::int64_t>(1, kPieceBytes / static_cast<std::int64_t>(layout.row_bytes()));
}

StoredType stored_type_of(DType dtype) {
  return dtype == DType::u8 ? StoredType::u8 : dtype == DType::u16 ? StoredType::u16 : StoredType::f32;
}

/// Whether values are stored as they are in memory.
bool is_plain(const RasterLayout& layout) {
  return layout.stored == stored_type_of(layout.dtype) &&
         (layout.order == std::endian::native || layout.dtype == DType::u8) && !layout.largest && layout.divisor == 1;
}

/// The number of rows that lie in memory as one piece of the file: all, one, or 0 if rows have another order.
template <class Ref>
std::int64_t rows_in_place(const RasterLayout& layout, const Ref& values) {
  const Shape& shape = values.shape;
  const Strides& strides = values.strides;
  const std::int64_t row = layout.interleaved ? shape.w * layout.shape.c : shape.w;
  const bool is_row = !layout.interleaved
                          ? strides.w == 1
                          : shape.c == layout.shape.c && strides.w == shape.c && (strides.c == 1 || shape.c == 1);
  if (!is_plain(layout) || !is_row) return 0;
  if (!layout.bottom_up && strides.h == row) return shape.h;
  return row * size_of(layout.dtype) >= kLongRow ? 1 : 0;
}

std::span<std::byte> bytes_of(void* data, std::int64_t rows, const RasterLayout& layout) {
  return {static_cast<std::byte*>(data), static_cast<std::size_t>(rows) * layout.row_bytes()};
}
std::span<const std::byte> bytes_of(const void* data, std::int64_t rows, const RasterLayout& layout) {
  return {static_cast<const std::byte*>(data), static_cast<std::size_t>(rows) * layout.row_bytes()};
}

}  // namespace

std::int64_t buffer_bytes(const RasterLayout& layout) {
  const auto row = static_cast<std::int64_t>(layout.row_bytes());
  return is_plain(layout) && row >= kLongRow ? 0 : std::max(kPieceBytes, row);
}

RasterReader::RasterReader(RandomAccessFile file, const RasterLayout& layout)
    : file_(std::move(file)), layout_(layout) {
  if (!layout_.may_round()) return;
  rounding_ = std::make_unique<Rounding>();
  rounding_->counted = std::make_unique<std::atomic<std::uint8_t>[]>(static_cast<std::size_t>(memory()));
}

std::int64_t RasterReader::memory() const {
  return rounding_ ? static_cast<std::int64_t>((layout_.row_count() + 7) / 8) : 0;
}

std::int64_t RasterReader::rounded_values() const { return rounding_ ? rounding_->values.load() : 0; }

void RasterReader::count_rounded_values(std::uint64_t offset, std::span<const std::byte> rows) const {
  if (!rounding_) return;
  const std::uint64_t size = layout_.row_bytes(), first = (offset - layout_.offset) / size;
  for (std::uint64_t i = 0; i < rows.size() / size; ++i) {
    const std::uint64_t row = first + i;
    const auto bit = static_cast<std::uint8_t>(1 << row % 8);
    if ((rounding_->counted[row / 8].fetch_or(bit) & bit) == 0)
      rounding_->values += count_rounded(layout_, rows.subspan(i * size, size));
  }
}

void RasterReader::read(const Band& band, const TensorRef& values) const {
  if (const std::int64_t rows = rows_in_place(layout_, values); rows > 0)
    return for_each_piece(layout_, band, values, rows,
                          [&](std::uint64_t offset, std::int64_t count, const auto& row_at) {
                            file_.read(offset, bytes_of(row_at(0).data, count, layout_));
                          });
  const std::int64_t most = std::min(rows_per_piece(layout_), values.shape.h);
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(most) * layout_.row_bytes());
  for_each_piece(layout_, band, values, most, [&](std::uint64_t offset, std::int64_t count, const auto& row_at) {
    const std::span<std::byte> stored = bytes_of(buffer.get(), count, layout_);
    file_.read(offset, stored);
    count_rounded_values(offset, stored);
    try {
      for (std::int64_t i = 0; i < count; ++i)
        load_row(layout_, stored.data() + static_cast<std::uint64_t>(i) * layout_.row_bytes(), band.channel, row_at(i));
    } catch (const Error& error) {
      throw Error(error.kind(), file_.path(), error.what());
    }
  });
}

RasterWriter::RasterWriter(const std::string& path, const RasterFormat& format, const WriteOptions& options)
    : layout_(format.layout), file_(path, options) {
  file_.write(0, format.header);
}

void RasterWriter::write(const Band& band, const ConstTensorRef& values) {
  require(!layout_.interleaved || values.shape.c == layout_.shape.c, "a band without some of the interleaved channels");
  if (const std::int64_t rows = rows_in_place(layout_, values); rows > 0)
    return for_each_piece(layout_, band, values, rows,
                          [&](std::uint64_t offset, std::int64_t count, const auto& row_at) {
                            file_.write(offset, bytes_of(row_at(0).data, count, layout_));
                          });
  const std::int64_t most = std::min(rows_per_piece(layout_), values.shape.h);
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(most) * layout_.row_bytes());
  for_each_piece(layout_, band, values, most, [&](std::uint64_t offset, std::int64_t count, const auto& row_at) {
    const std::span<std::byte> stored = bytes_of(buffer.get(), count, layout_);
    for (std::int64_t i = 0; i < count; ++i)
      store_row(layout_, row_at(i), stored.data() + static_cast<std::uint64_t>(i) * layout_.row_bytes());
    file_.write(offset, stored);
  });
}

}  // namespace convtool
