// JPEG: the size of the frame, and whether the file continues to its end. OpenCV returns a full-sized picture for half
// a file.
//
// The file is a chain of segments (ITU T.81, annex B): a marker of two bytes, a length, data. Bytes without a stated
// length occur only after a start of scan, and there 0xff is always followed by 0 or by a restart marker. So the chain
// can be followed without decoding, and thumbnails, which are complete JPEGs inside a segment, are skipped.
#include <algorithm>

#include "files/byte_reader.h"
#include "pictures/headers/formats.h"
#include "pictures/headers/icc_profile.h"

namespace convtool {
namespace {

constexpr std::uint32_t kEndOfImage = 0xd9, kStartOfScan = 0xda, kExif = 0xe1, kProfile = 0xe2;

/// Whether the marker is one of SOF0 to SOF15. DHT, JPG and DAC lie between them (table B.1).
bool is_start_of_frame(std::uint32_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/// The first scans of components: libjpeg decodes the others as 0 and says nothing.
struct ScannedComponents {
  bool is_progressive = false;
  std::uint32_t in_frame = 0, in_scans = 0;

  /// Counts the components of a scan, at whose length `file` is (figure B.4).
  void add_scan(ByteReader file) {
    file.skip(2);
    const std::uint32_t count = file.u8();
    file.skip(2 * std::uint64_t{count});  // of each its number and tables
    const std::uint32_t first_coefficient = file.u8();
    file.skip(1);
    const bool is_refinement = file.u8() >> 4 != 0;
    if (!is_progressive || (first_coefficient == 0 && !is_refinement)) in_scans += count;
  }
};

/// Inside a scan, 0xff 0x00 stands for a byte 0xff, and RST0 to RST7 are restart markers.
bool belongs_to_scan(std::uint32_t marker) { return marker == 0 || (marker >= 0xd0 && marker <= 0xd7); }

/// The next marker that is not part of a scan. Stray bytes before it are skipped, as decoders do.
std::uint32_t next_marker(ByteReader& file) {
  while (true) {
    const std::size_t distance = file.rest().find('\xff');
    if (distance == std::string_view::npos) throw_damaged("JPEG", "no end-of-image marker");
    file.skip(distance);
    std::uint32_t marker = 0xff;
    while (marker == 0xff) {  // a marker may be preceded by any number of fill bytes
      if (file.at_end()) throw_damaged("JPEG", "no end-of-image marker");
      marker = file.u8();
    }
    if (!belongs_to_scan(marker)) return marker;
  }
}

}  // namespace

PictureHeader read_jpeg_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::jpeg};
  ScannedComponents components;
  bool has_frame = false, has_exif = false, has_profile = false, says_srgb = false;
  ByteReader file("JPEG", bytes, ByteReader::Order::big, 2);
  while (true) {
    const std::uint32_t marker = next_marker(file);
    if (marker == kEndOfImage) break;
    const std::uint64_t start = file.position();
    const std::uint32_t length = file.u16();  // counts itself
    if (length < 2) throw_damaged("JPEG", "a segment of length " + std::to_string(length));
    if (is_start_of_frame(marker) && !has_frame) {
      file.skip(1);  // bits per sample
      header.height = file.u16();
      header.width = file.u16();
      components.in_frame = file.u8();
      components.is_progressive = marker == 0xc2 || marker == 0xca;  // Huffman and arithmetic codes
      header.channels = components.in_frame == 1 ? 1 : 3;            // the decoder converts CMYK to RGB
      has_frame = true;
    }
    if (marker == kExif && !has_exif && file.rest().starts_with("Exif")) {  // APP1 has other uses as well
      header.orientation =
          read_exif_orientation(bytes.subspan(start + 2, std::min<std::uint64_t>(length - 2, file.size() - start - 2)));
      has_exif = true;
    }
    if (marker == kProfile && file.rest().starts_with("ICC_PROFILE")) {
      has_profile = true;  // may be in several pieces, one of which contains the name
      says_srgb = says_srgb || names_srgb(file.rest().substr(0, length));
    }
    if (marker == kStartOfScan) {
      ByteReader scan = file;
      scan.seek(start);
      components.add_scan(scan);
    }
    file.seek(start + length);
  }
  header.has_profile = has_profile && !says_srgb;
  if (!has_frame || components.in_scans == 0) throw_damaged("JPEG", "no picture before its end-of-image marker");
  if (components.in_scans < components.in_frame) throw_damaged("JPEG", "no data for some of its components");
  return header;
}

}  // namespace convtool
