#include "pictures/headers/exif.h"

#include <string_view>

#include "files/byte_reader.h"
#include "pictures/tiff/directory.h"

namespace convtool {
namespace {

constexpr std::uint32_t kShort = 3;  // a type of the values of TIFF, section 2

/// read_exif_orientation() that throws Error(input) if the block ends too early.
Orientation read(std::span<const std::byte> block) {
  using namespace std::string_view_literals;
  constexpr std::string_view kPrefix = "Exif\0\0"sv;
  std::string_view text(reinterpret_cast<const char*>(block.data()), block.size());
  while (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  block = block.last(text.size());
  const bool big = text.starts_with("MM\0*"sv);
  if (!big && !text.starts_with("II*\0"sv)) return Orientation::top_left;
  ByteReader file("EXIF", block, big ? ByteReader::Order::big : ByteReader::Order::little, 4);
  file.seek(file.u32());
  for (std::uint32_t entries = file.u16(); entries > 0; --entries) {
    const std::uint32_t tag = file.u16(), type = file.u16();
    file.skip(4);  // number of values
    const std::uint32_t value = file.u16();
    file.skip(2);
    if (tag != kOrientation) continue;
    return type == kShort && value >= 1 && value <= 8 ? Orientation(value) : Orientation::top_left;
  }
  return Orientation::top_left;
}

}  // namespace

Orientation read_exif_orientation(std::span<const std::byte> block) {
  try {
    return read(block);
  } catch (const Error&) {
    return Orientation::top_left;
  }
}

}  // namespace convtool
