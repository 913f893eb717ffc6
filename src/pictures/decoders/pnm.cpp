// PNM: bits, bytes and words of two bytes, binary or as text.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "files/raster_values.h"
#include "pictures/decoders/decoders.h"
#include "pictures/headers/netpbm_text.h"

namespace convtool {
namespace {

/// The values of a text, as the binary form of the same picture has them.
template <class T>
void decode_text(std::span<const std::byte> bytes, const PnmLayout& layout, const TensorRef& values) {
  RasterLayout raster = layout.raster();
  raster.stored = sizeof(T) == 1 ? StoredType::u8 : StoredType::u16;
  raster.order = std::endian::native;
  std::vector<T> row(static_cast<std::size_t>(layout.width * layout.channels()));
  raster.offset = 0;
  raster.shape.h = 1;
  PnmText text(bytes, layout.pixels_at);
  for (std::int64_t y = 0; y < layout.height; ++y) {
    for (T& value : row)
      value = static_cast<T>(layout.is_bitmap() ? (text.bit() ? 0 : 255) : std::min(text.value(), layout.largest));
    load_raster(std::as_bytes(std::span(row)), raster, values.rows(y, 1));
  }
}

}  // namespace

Image decode_pnm(std::span<const std::byte> bytes) {
  const PnmLayout layout = read_pnm_layout(bytes);
  const RasterLayout raster = layout.raster();
  const auto count = static_cast<std::uint64_t>(layout.width * layout.channels());
  // Text has at least one character per value. Checked before memory is taken for a size that the file may not have.
  const bool is_whole = layout.is_text()
                            ? (bytes.size() - layout.pixels_at) / count >= static_cast<std::uint64_t>(layout.height)
                            : raster.fits(bytes.size());
  if (!is_whole) throw_damaged("PNM", "it ends too early");

  Image image(raster.dtype, layout.channels() == 3 ? PixelFormat::rgb : PixelFormat::grey, layout.height, layout.width);
  if (!layout.is_text())
    load_raster(bytes, raster, image.all());
  else if (raster.dtype == DType::u16)
    decode_text<std::uint16_t>(bytes, layout, image.all());
  else
    decode_text<std::uint8_t>(bytes, layout, image.all());
  return image;
}

}  // namespace convtool
