// JPEG: the segments before the first scan. JFIF 1.02; Exif 2.32, section 4.7; ICC.1, annex B.4; XMP specification,
// part 3, section 1.1.3.
#include <string_view>

#include "files/byte_reader.h"
#include "pictures/metadata/picture_metadata.h"
#include "pictures/metadata/readers.h"

namespace convtool {
namespace {

using namespace std::string_view_literals;

/// The pieces of a profile, which are numbered from 1.
class ProfilePieces {
 public:
  void add(std::span<const std::byte> data) {
    has_any_ = true;
    if (data.size() < 2) return;
    const auto number = std::to_integer<std::size_t>(data[0]), count = std::to_integer<std::size_t>(data[1]);
    if (pieces_.empty()) pieces_.resize(count);
    if (count != pieces_.size() || number == 0 || number > count || !pieces_[number - 1].empty())
      is_damaged_ = true;
    else
      pieces_[number - 1] = data.subspan(2);
  }

  /// Nothing without pieces; empty if one is missing.
  std::optional<Bytes> join() const {
    if (!has_any_) return std::nullopt;
    Bytes profile;
    for (const std::span<const std::byte> piece : pieces_) {
      if (piece.empty() || is_damaged_ || profile.size() + piece.size() > kMostMetadata) return Bytes();
      profile.insert(profile.end(), piece.begin(), piece.end());
    }
    return profile;
  }

 private:
  std::vector<std::span<const std::byte>> pieces_;
  bool has_any_ = false, is_damaged_ = false;
};

std::optional<Resolution> read_density(std::span<const std::byte> data) {
  using Unit = Resolution::Unit;
  ByteReader jfif("JPEG", data, ByteReader::Order::big);
  try {
    jfif.skip(2);  // the version
    const std::uint32_t unit = jfif.u8(), x = jfif.u16(), y = jfif.u16();
    if (unit > 2) return std::nullopt;
    return find_resolution(x, y, unit == 0 ? Unit::none : unit == 1 ? Unit::inch : Unit::centimetre);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

StoredMetadata read_jpeg_metadata(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kJfif = 0xe0, kExifOrXmp = 0xe1, kProfile = 0xe2, kStartOfScan = 0xda, kEndOfImage = 0xd9;
  StoredMetadata found;
  ProfilePieces pieces;
  ByteReader file("JPEG", bytes, ByteReader::Order::big, 2);
  while (true) {
    file.skip(std::min(file.rest().find('\xff'), file.rest().size()));
    std::uint32_t marker = 0xff;
    while (marker == 0xff && !file.at_end()) marker = file.u8();
    if (marker == 0xff || marker == kStartOfScan || marker == kEndOfImage) break;
    if (marker <= 1 || (marker >= 0xd0 && marker <= 0xd7)) continue;  // these have no length
    const std::uint32_t length = file.u16();
    const std::uint64_t begin = file.position();
    file.skip(length - 2);
    const std::span<const std::byte> data = bytes.subspan(begin, length - 2);
    const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
    const auto starts = [&](std::uint32_t of, std::string_view name) { return marker == of && text.starts_with(name); };
    constexpr std::string_view kJfifName = "JFIF\0"sv, kProfileName = "ICC_PROFILE\0"sv,
                               kXmpName = "http://ns.adobe.com/xap/1.0/\0"sv;
    if (!found.resolution && starts(kJfif, kJfifName)) found.resolution = read_density(data.subspan(kJfifName.size()));
    if (!found.exif && starts(kExifOrXmp, "Exif"sv)) found.exif = copy_part(data);
    if (!found.xmp && starts(kExifOrXmp, kXmpName)) found.xmp = copy_part(data.subspan(kXmpName.size()));
    if (starts(kProfile, kProfileName)) pieces.add(data.subspan(kProfileName.size()));
  }
  found.profile = pieces.join();
  return found;
}

}  // namespace convtool
