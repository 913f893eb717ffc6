#include "pictures/metadata/write_webp.h"

#include <webp/decode.h>

#include <string_view>

#include "files/byte_reader.h"

namespace convtool {
namespace {

void put_text(Bytes& bytes, std::string_view text) {
  const auto from = std::as_bytes(std::span(text));
  bytes.insert(bytes.end(), from.begin(), from.end());
}

void put_number(Bytes& bytes, std::uint64_t number, int size) {
  for (int i = 0; i < size; ++i) bytes.push_back(static_cast<std::byte>(number >> 8 * i));
}

/// Nothing for a part without bytes.
void put_chunk_of_riff(Bytes& bytes, std::string_view type, const Bytes& data) {
  if (data.empty()) return;
  put_text(bytes, type);
  put_number(bytes, data.size(), 4);
  bytes.insert(bytes.end(), data.begin(), data.end());
  bytes.resize(bytes.size() + bytes.size() % 2);
}

}  // namespace

void add_webp_metadata(Bytes& file, const PictureMetadata& metadata) {
  if (metadata.profile.empty() && metadata.exif.empty() && metadata.xmp.empty()) return;
  constexpr std::size_t kRiff = 12;  // "RIFF", a size, "WEBP"
  enum Flag : std::uint8_t { kXmp = 0x04, kExif = 0x08, kAlpha = 0x10, kProfile = 0x20 };
  WebPBitstreamFeatures features;
  const VP8StatusCode status =
      WebPGetFeatures(reinterpret_cast<const std::uint8_t*>(file.data()), file.size(), &features);
  require(status == VP8_STATUS_OK, "a WebP file that cannot be read");

  // libwebp writes lossy colours with alpha as an extended file, whose header the new one replaces.
  constexpr std::size_t kExtended = 18;  // "VP8X", a size, 10 bytes
  std::span<const std::byte> pixels = std::span(file).subspan(kRiff);
  if (std::string_view(reinterpret_cast<const char*>(pixels.data()), pixels.size()).starts_with("VP8X"))
    pixels = pixels.subspan(kExtended);
  Bytes body;
  put_text(body, "WEBPVP8X");
  put_number(body, 10, 4);
  put_number(body,
             (metadata.profile.empty() ? 0 : kProfile) | (metadata.exif.empty() ? 0 : kExif) |
                 (metadata.xmp.empty() ? 0 : kXmp) | (features.has_alpha == 0 ? 0 : kAlpha),
             4);
  put_number(body, static_cast<std::uint64_t>(features.width - 1), 3);
  put_number(body, static_cast<std::uint64_t>(features.height - 1), 3);
  put_chunk_of_riff(body, "ICCP", metadata.profile);
  body.insert(body.end(), pixels.begin(), pixels.end());
  put_chunk_of_riff(body, "EXIF", metadata.exif);
  put_chunk_of_riff(body, "XMP ", metadata.xmp);

  file.clear();
  put_text(file, "RIFF");
  put_number(file, body.size(), 4);
  file.insert(file.end(), body.begin(), body.end());
}

}  // namespace convtool
