#include "pictures/headers/chunks.h"

#include "files/byte_reader.h"

namespace convtool {

std::span<const std::byte> find_chunk(Chunks kind, std::span<const std::byte> bytes, std::string_view type) {
  const bool png = kind == Chunks::png;
  ByteReader file(png ? "PNG" : "WebP", bytes, png ? ByteReader::Order::big : ByteReader::Order::little, png ? 8 : 12);
  const auto left = [&] { return file.size() - file.position(); };
  while (left() >= 8) {
    std::uint64_t length = png ? file.u32() : 0;
    const std::string_view name = file.text(4);
    if (!png) length = file.u32();
    if (length > left()) return {};
    if (name == type) return bytes.subspan(file.position(), length);
    file.skip(length);
    const std::uint64_t after = png ? 4 : length % 2;  // a CRC; padding to an even length
    if (after > left()) return {};
    file.skip(after);
  }
  return {};
}

}  // namespace convtool
