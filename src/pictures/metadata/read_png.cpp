// PNG: the chunks iCCP, eXIf and pHYs, and texts with EXIF or XMP. PNG specification, third edition, section 11.3; XMP
// specification, part 3, section 1.1.5.
#include <algorithm>
#include <cmath>
#include <string_view>

#include "files/byte_reader.h"
#include "pictures/compression.h"
#include "pictures/headers/chunks.h"
#include "pictures/headers/png_text.h"
#include "pictures/metadata/picture_metadata.h"
#include "pictures/metadata/readers.h"

namespace convtool {
namespace {

/// An iCCP chunk is a name, a zero, a zero for the compression method zlib, and the compressed profile.
Bytes profile_in(std::span<const std::byte> chunk) {
  const auto end_of_name = std::find(chunk.begin(), chunk.end(), std::byte{0});
  if (chunk.end() - end_of_name < 2) return {};
  return inflate_whole(chunk.subspan(static_cast<std::size_t>(end_of_name - chunk.begin()) + 2), kMostMetadata)
      .value_or(Bytes());
}

std::optional<Resolution> density_in(std::span<const std::byte> chunk) {
  if (chunk.size() != 9) return std::nullopt;
  ByteReader reader("PNG", chunk, ByteReader::Order::big);
  const double x = reader.u32(), y = reader.u32();
  const std::uint32_t unit = reader.u8();
  if (unit > 1) return std::nullopt;
  if (unit == 0) return find_resolution(x, y, Resolution::Unit::none);
  // By the metre. Most are whole numbers by the inch, rounded.
  constexpr double kInch = 0.0254, kCentimetre = 0.01;
  const double inch_x = std::round(x * kInch), inch_y = std::round(y * kInch);
  if (std::round(inch_x / kInch) == x && std::round(inch_y / kInch) == y)
    return find_resolution(inch_x, inch_y, Resolution::Unit::inch);
  return find_resolution(x * kCentimetre, y * kCentimetre, Resolution::Unit::centimetre);
}

/// Before PNG had its chunk, ImageMagick put all that JPEG has in segments APP1 into texts: EXIF, and XMP after its
/// name.
void keep_segment(const Bytes& segment, StoredMetadata& found) {
  using namespace std::string_view_literals;
  constexpr std::string_view kXmpName = "http://ns.adobe.com/xap/1.0/\0"sv;
  const std::string_view text(reinterpret_cast<const char*>(segment.data()), segment.size());
  if (!text.starts_with(kXmpName))
    found.exif = segment;
  else if (!found.xmp)
    found.xmp = copy_part(std::span(segment).subspan(kXmpName.size()));
}

}  // namespace

StoredMetadata read_png_metadata(std::span<const std::byte> bytes) {
  StoredMetadata found;
  bool has_sound_profile = false;
  std::optional<Bytes> segment;  // as in the header, the first such text counts, and less than eXIf
  ChunkReader chunks(ChunkReader::Kind::png, bytes);
  while (const std::optional<Chunk> chunk = chunks.next()) {
    // Only one profile and packet are decompressed, which takes time.
    if (chunk->type == "iCCP" && !has_sound_profile) {
      has_sound_profile = chunk->is_sound();
      found.profile = has_sound_profile ? profile_in(chunk->data) : Bytes();
    }
    if (chunk->type == "eXIf" && (!found.exif || found.exif->empty()))
      found.exif = chunk->is_sound() ? copy_part(chunk->data) : Bytes();
    if (chunk->type == "pHYs" && !found.resolution && chunk->is_sound()) found.resolution = density_in(chunk->data);
    if (!found.xmp) found.xmp = xmp_in_text(*chunk, kMostMetadata);
    if (!segment) segment = exif_in_text(*chunk);
  }
  if (segment && (!found.exif || found.exif->empty())) keep_segment(*segment, found);
  return found;
}

}  // namespace convtool
