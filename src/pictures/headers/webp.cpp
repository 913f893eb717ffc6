// WebP: the first chunk, which is VP8 (lossy), VP8L (lossless) or VP8X (extended), and the chunks EXIF and ICCP.
#include <string_view>

#include "files/byte_reader.h"
#include "pictures/headers/chunks.h"
#include "pictures/headers/formats.h"
#include "pictures/headers/icc_profile.h"

namespace convtool {

PictureHeader read_webp_header(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kAnimation = 0x02, kAlpha = 0x10;
  PictureHeader header{.type = PictureType::webp};
  ByteReader file("WebP", bytes, ByteReader::Order::little, 4);
  if (file.u32() > bytes.size() - 8) throw_damaged("WebP", "it ends too early");
  file.skip(4);
  const std::string_view type = file.text(4);
  file.skip(4);  // the length of this chunk
  if (type == "VP8 ") {
    file.skip(3);  // frame tag
    if (file.text(3) != "\x9d\x01\x2a") throw_damaged("WebP", "it does not begin with a key frame");
    header.width = file.u16() & 0x3fff;
    header.height = file.u16() & 0x3fff;
  } else if (type == "VP8L") {
    if (file.u8() != 0x2f) throw_damaged("WebP", "a wrong signature of the lossless data");
    const std::uint32_t sizes = file.u32();
    header.width = (sizes & 0x3fff) + 1;
    header.height = (sizes >> 14 & 0x3fff) + 1;
    header.channels = (sizes >> 28 & 1) != 0 ? 4 : 3;
  } else if (type == "VP8X") {
    const std::uint32_t flags = file.u8();
    if ((flags & kAnimation) != 0)
      throw Error(ErrorKind::input, "", "an animated WebP cannot be read; extract a frame of it first");
    file.skip(3);
    header.width = static_cast<std::int64_t>(file.number(3)) + 1;
    header.height = static_cast<std::int64_t>(file.number(3)) + 1;
    header.channels = (flags & kAlpha) != 0 ? 4 : 3;
    header.orientation = read_exif_orientation(find_chunk(Chunks::riff, bytes, "EXIF"));
    header.has_profile = is_other_profile(find_chunk(Chunks::riff, bytes, "ICCP"));
  } else {
    throw_damaged("WebP", "an unknown first chunk");
  }
  return header;
}

}  // namespace convtool
