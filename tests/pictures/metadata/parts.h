// Metadata made by hand.
#pragma once

#include <string>

#include "support/picture_bytes.h"

namespace convtool::testing {

/// An ICC profile without a curve: the header for these colours, of four characters, and one tag. It is `size` bytes
/// long, at least 160 and a multiple of 4.
inline Bytes profile(const std::string& colours, std::size_t size = 160) {
  ByteWriter bytes(true);
  bytes.u32(size).u32(0).u32(0x02100000).text("mntr").text(colours).text("XYZ ");
  for (int i = 0; i < 6; ++i) bytes.u16(1);  // a date
  bytes.text("acsp");
  for (int i = 0; i < 7; ++i) bytes.u32(0);
  bytes.u32(0xf6d6).u32(0x10000).u32(0xd32d);  // D50
  while (bytes.size() < 128) bytes.u8(0);
  bytes.u32(1).text("desc").u32(144).u32(16).text("text").u32(0);
  for (unsigned i = 0; bytes.size() < size; ++i) bytes.u8(i * i >> 3);
  return bytes.bytes();
}

constexpr std::size_t kExifWithoutThumbnail = 149, kOrientationAt = 30, kLinkAt = 82;

/// An EXIF block with a maker, an orientation, 300 pixels per inch, a camera's directory with an exposure time and a
/// maker note, and a thumbnail of 10 bytes, which is last.
inline Bytes exif_block(bool big_endian, unsigned orientation = 6) {
  ByteWriter block(big_endian);
  const auto entry = [&](unsigned tag, unsigned type, unsigned count, std::uint64_t value) {
    block.u16(tag).u16(type).u32(count);
    type == 3 ? block.u16(value).u16(0) : block.u32(value);
  };
  constexpr unsigned kAscii = 2, kShort = 3, kLong = 4, kRational = 5, kUndefined = 7;
  block.text(big_endian ? "MM" : "II").u16(42).u32(8).u16(6);
  entry(271, kAscii, 8, 86);
  entry(274, kShort, 1, orientation);
  entry(282, kRational, 1, 94);
  entry(283, kRational, 1, 94);
  entry(296, kShort, 1, 2);
  entry(34665, kLong, 1, 102);
  block.u32(150).text("Maker 1").u8(0).u32(300).u32(1);
  block.u16(2);
  entry(33434, kRational, 1, 132);
  entry(37500, kUndefined, 9, 140);
  block.u32(0).u32(1).u32(250).text("makernote").u8(0);
  block.u16(2);
  entry(513, kLong, 1, 180);
  entry(514, kLong, 1, 10);
  return block.u32(0).text("THUMBNAIL!").bytes();
}

inline std::string xmp_packet(unsigned orientation = 1) {
  return "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
         "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
         "xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation='" +
         std::to_string(orientation) +
         "' xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='4'/></rdf:RDF></x:xmpmeta><?xpacket end='w'?>";
}

}  // namespace convtool::testing
