// BMP: the header, the palette and the channel masks.
#include <array>

#include "files/byte_reader.h"
#include "pictures/headers/formats.h"

namespace convtool {
namespace {

using Order = ByteReader::Order;

/// Whether blue, green and red are equal in every colour of the palette, which has four bytes per colour.
bool has_grey_palette(std::span<const std::byte> bytes, std::uint64_t at, std::uint32_t bits, std::uint32_t colours) {
  const std::uint64_t most = std::uint64_t{1} << bits;
  ByteReader palette("BMP", bytes, Order::little, at);
  for (std::uint64_t i = 0; i < (colours == 0 || colours > most ? most : colours); ++i) {
    const std::uint32_t blue = palette.u8(), green = palette.u8(), red = palette.u8();
    palette.skip(1);
    if (blue != green || green != red) return false;
  }
  return true;
}

}  // namespace

PictureHeader read_bmp_header(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kBitFields = 3;
  PictureHeader header{.type = PictureType::bmp};
  ByteReader file("BMP", bytes, Order::little, 14);
  const std::uint32_t header_bytes = file.u32();
  if (header_bytes == 12)  // OpenCV 4.6 decodes its colours as grey
    throw Error(ErrorKind::input, "", "a BMP with an OS/2 header cannot be read; convert it to a newer version");
  if (header_bytes < 40) throw_damaged("BMP", "a header of " + std::to_string(header_bytes) + " bytes");
  header.width = file.i32();
  const std::int64_t height = file.i32();  // negative: the top row comes first
  header.height = height < 0 ? -height : height;
  if (header.width < 0) throw_damaged("BMP", "a negative width");
  file.skip(2);  // planes
  const std::uint32_t bits = file.u16();
  const std::uint32_t compression = file.u32();
  file.skip(12);  // size of the pixels in bytes, resolution
  const std::uint32_t colours = file.u32();
  file.skip(4);  // number of important colours
  if (bits <= 8) header.channels = has_grey_palette(bytes, 14 + header_bytes, bits, colours) ? 1 : 3;
  if (bits != 32 || compression != kBitFields) return header;

  std::array<std::uint32_t, 4> masks = {};  // red, green, blue, alpha
  const bool has_alpha_mask = header_bytes >= 56;
  for (int i = 0; i < (has_alpha_mask ? 4 : 3); ++i) masks[static_cast<std::size_t>(i)] = file.u32();
  // OpenCV 4.6 applies byte masks in a longer header; with a shorter one it assumes this order.
  bool readable = has_alpha_mask || (masks[0] == 0xff0000 && masks[1] == 0xff00 && masks[2] == 0xff);
  for (const std::uint32_t mask : masks)
    readable = readable && (mask == 0xff || mask == 0xff00 || mask == 0xff0000 || mask == 0xff000000 || mask == 0);
  if (!readable)
    throw Error(ErrorKind::input, "", "a BMP with channels that are not whole bytes cannot be read; convert it to PNG");
  header.opaque = masks[3] == 0;
  header.channels = header.opaque ? 3 : 4;
  return header;
}

}  // namespace convtool
