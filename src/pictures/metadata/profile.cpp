#include "pictures/metadata/profile.h"

#include "files/byte_reader.h"

namespace convtool {
namespace {

constexpr std::uint64_t kColourSpaceAt = 16, kSignatureAt = 36, kTagsAt = 128;

}  // namespace

std::optional<std::size_t> size_of_profile(std::span<const std::byte> bytes) {
  try {
    ByteReader reader("ICC profile", bytes, ByteReader::Order::big);
    const std::uint64_t size = reader.u32();
    if (size > bytes.size()) return std::nullopt;
    reader = ByteReader("ICC profile", bytes.first(size), ByteReader::Order::big, kSignatureAt);
    if (reader.text(4) != "acsp") return std::nullopt;
    reader.seek(kTagsAt);
    for (std::uint32_t tags = reader.u32(); tags > 0; --tags) {
      reader.skip(4);  // its signature
      const std::uint64_t offset = reader.u32(), length = reader.u32();
      if (offset + length > size) return std::nullopt;
    }
    return size;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string_view colours_of_profile(std::span<const std::byte> profile) {
  const std::string_view colours =
      std::string_view(reinterpret_cast<const char*>(profile.data()), profile.size()).substr(kColourSpaceAt, 4);
  return colours.substr(0, colours.find_last_not_of(' ') + 1);
}

std::string_view profile_colours(PixelFormat pixels) {
  return pixels == PixelFormat::grey || pixels == PixelFormat::grey_alpha ? "GRAY" : "RGB";
}

}  // namespace convtool
