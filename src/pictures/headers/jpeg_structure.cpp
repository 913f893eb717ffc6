// A JPEG is a chain of segments (ITU T.81, annex B): a marker of two bytes, a length, data. Bytes without a stated
// length occur only after a start of scan, and there 0xff is always followed by 0 or by a restart marker. So the chain
// can be followed without decoding, and thumbnails, which are complete JPEGs inside a segment, are skipped.
#include "pictures/headers/jpeg_structure.h"

// clang-format off
#include <cstdio>  // before jpeglib.h, which uses FILE without declaring it
#include <jpeglib.h>
// clang-format on

#include <algorithm>
#include <string>

#include "files/byte_reader.h"

namespace convtool {
namespace {

// Table B.1.
enum JpegMarker : std::uint32_t {
  kTemporary = 0x01,
  kBaselineFrame = 0xc0,
  kExtendedFrame = 0xc1,
  kProgressiveFrame = 0xc2,
  kHuffmanTables = 0xc4,
  kReservedFrame = 0xc8,
  kArithmeticFrame = 0xc9,
  kArithmeticProgressiveFrame = 0xca,
  kArithmeticConditioning = 0xcc,
  kLastFrame = 0xcf,
  kStartOfImage = 0xd8,
  kEndOfImage = 0xd9,
  kStartOfScan = 0xda,
  kQuantisationTables = 0xdb,
  kNumberOfLines = 0xdc,
  kRestartInterval = 0xdd,
  kHierarchicalProgression = 0xde,
  kFirstApplication = 0xe0,
  kLastApplication = 0xef,
  kJpegLsFrame = 0xf7,  // ITU T.87
  kComment = 0xfe,
};

bool is_start_of_frame(std::uint32_t marker) {
  return marker >= kBaselineFrame && marker <= kLastFrame && marker != kHuffmanTables && marker != kReservedFrame &&
         marker != kArithmeticConditioning;
}

bool is_known_segment(std::uint32_t marker) {
  return is_start_of_frame(marker) || marker == kHuffmanTables || marker == kArithmeticConditioning ||
         (marker >= kStartOfScan && marker <= kRestartInterval) ||
         (marker >= kFirstApplication && marker <= kLastApplication) || marker == kComment;
}

/// Inside a scan, 0xff 0x00 stands for a byte 0xff, and RST0 to RST7 are restart markers.
bool belongs_to_scan(std::uint32_t marker) { return marker == 0 || (marker >= 0xd0 && marker <= 0xd7); }

/// The next marker that is not part of a scan and has data or ends the image; 0 if there is none. Stray bytes before it
/// are skipped, as decoders do.
std::uint32_t next_marker(ByteReader& file) {
  while (true) {
    const std::size_t distance = file.rest().find('\xff');
    if (distance == std::string_view::npos) break;
    file.skip(distance);
    std::uint32_t marker = 0xff;
    while (marker == 0xff && !file.at_end()) marker = file.u8();  // any number of fill bytes may precede a marker
    if (marker == 0xff) break;
    if (!belongs_to_scan(marker) && marker != kTemporary) return marker;
  }
  file.seek(file.size());
  return 0;
}

/// Reads the data of a start of frame (figure B.3).
void read_frame(std::uint32_t marker, ByteReader data, JpegStructure& jpeg) {
  if (jpeg.frame != 0) throw_damaged("JPEG", "more than one frame");
  jpeg.frame = marker;
  jpeg.bits = data.u8();
  jpeg.height = data.u16();
  jpeg.width = data.u16();
  for (std::uint32_t count = data.u8(); count > 0; --count) {
    jpeg.components.push_back(data.u8());
    data.skip(2);  // its sampling factors and quantisation table
  }
  jpeg.scanned.assign(jpeg.components.size(), false);
}

/// Reads the data of a start of scan (figure B.4).
void read_scan(ByteReader data, JpegStructure& jpeg) {
  if (jpeg.frame == 0) throw_damaged("JPEG", "a scan before the frame");
  ++jpeg.scans;
  constexpr std::uint32_t kMostMembers = 4;
  std::vector<std::size_t> members;
  std::uint32_t count = data.u8();
  if (count > kMostMembers) throw_damaged("JPEG", "a scan of " + std::to_string(count) + " components");
  for (; count > 0; --count) {
    const std::uint32_t identifier = data.u8();
    data.skip(1);            // its tables
    std::size_t member = 0;  // identifiers need not differ: those that a scan repeats are different components
    while (member < jpeg.components.size() && (jpeg.components[member] != identifier ||
                                               std::find(members.begin(), members.end(), member) != members.end()))
      ++member;
    if (member == jpeg.components.size()) throw_damaged("JPEG", "a scan of a component that it does not have");
    members.push_back(member);
  }
  const std::uint32_t first_coefficient = data.u8();
  data.skip(1);
  const bool is_refinement = data.u8() >> 4 != 0;
  if (jpeg.is_progressive() && (first_coefficient != 0 || is_refinement)) return;
  for (const std::size_t member : members) jpeg.scanned[member] = true;
}

[[noreturn]] void refuse(const std::string& kind, const std::string& readable = "") {
  throw Error(ErrorKind::input, "",
              kind + " cannot be read" + readable + "; convert it, for example to a baseline JPEG or PNG");
}

}  // namespace

bool JpegStructure::is_progressive() const {
  return frame == kProgressiveFrame || frame == kArithmeticProgressiveFrame;
}

void JpegStructure::check_scans() const {
  // Each scan goes over all pixels. Encoders make about ten; a few seconds' worth is read.
  constexpr std::int64_t kMostScans = 500, kMostVisits = std::int64_t{1} << 34;
  const std::int64_t pixels = std::max<std::int64_t>(1, std::int64_t{width} * height);
  const std::int64_t most = std::min(kMostScans, kMostVisits / pixels);
  if (scans > most)
    refuse("a JPEG of " + std::to_string(scans) + " scans", " (at most " + std::to_string(most) + " of this size can)");
  if (std::find(scanned.begin(), scanned.end(), false) != scanned.end())
    throw_damaged("JPEG", "no data for some of its components");
}

void JpegStructure::check_frame() const {
  switch (frame) {
    case kBaselineFrame:
    case kExtendedFrame:
    case kProgressiveFrame: break;
    case kArithmeticFrame:
    case kArithmeticProgressiveFrame:
#ifdef D_ARITH_CODING_SUPPORTED
      break;
#else
      refuse("a JPEG of arithmetic coding");
#endif
    case 0xc3:
    case 0xcb: refuse("a lossless JPEG");
    default: refuse("a hierarchical JPEG");
  }
  if (bits != 8) refuse("a JPEG of " + std::to_string(bits) + " bits per sample", " (8 can)");
  if (components.size() != 1 && components.size() != 3 && components.size() != 4)
    refuse("a JPEG of " + std::to_string(components.size()) + " components", " (1, 3 and 4 can)");
}

JpegStructure read_jpeg_structure(std::span<const std::byte> bytes,
                                  const std::function<void(std::uint32_t, std::span<const std::byte>)>& see) {
  JpegStructure jpeg;
  ByteReader file("JPEG", bytes, ByteReader::Order::big, 2);
  while (true) {
    const std::uint32_t marker = next_marker(file);
    jpeg.has_end = marker == kEndOfImage;
    if (marker == 0 || jpeg.has_end) return jpeg;
    if (marker == kStartOfImage) throw_damaged("JPEG", "more than one start of image");
    if (marker == kHierarchicalProgression) refuse("a hierarchical JPEG");
    if (marker == kJpegLsFrame) refuse("JPEG-LS");
    if (!is_known_segment(marker)) throw_damaged("JPEG", "an unknown marker, number " + std::to_string(marker));
    const std::uint64_t start = file.position();
    const std::uint32_t length = file.u16();  // counts itself
    if (length < 2) throw_damaged("JPEG", "a segment of length " + std::to_string(length));
    file.seek(start + length);
    const std::span<const std::byte> data = bytes.subspan(start + 2, length - 2);
    const ByteReader reader("JPEG", data, ByteReader::Order::big);
    if (is_start_of_frame(marker)) read_frame(marker, reader, jpeg);
    if (marker == kStartOfScan) read_scan(reader, jpeg);
    if (see) see(marker, data);
  }
}

}  // namespace convtool
