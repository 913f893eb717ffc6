// WebP: chunks of the extended format (RFC 9649, section 2.7).
#include "pictures/headers/chunks.h"
#include "pictures/metadata/readers.h"

namespace convtool {

StoredMetadata read_webp_metadata(std::span<const std::byte> bytes) {
  StoredMetadata found;
  ChunkReader chunks(ChunkReader::Kind::riff, bytes);
  std::optional<Chunk> chunk = chunks.next();
  if (!chunk || chunk->type != "VP8X") return found;
  while ((chunk = chunks.next())) {
    const auto keep = [&](std::string_view type, std::optional<Bytes>& first) {
      if (chunk->type == type && !first) first = copy_part(chunk->data);
    };
    keep("ICCP", found.profile);
    keep("EXIF", found.exif);
    keep("XMP ", found.xmp);
  }
  const auto lose = [&](std::string_view type, std::optional<Bytes>& part) {
    if (chunks.cut() == type && !part) part.emplace();  // damaged
  };
  lose("ICCP", found.profile);
  lose("EXIF", found.exif);
  lose("XMP ", found.xmp);
  return found;
}

}  // namespace convtool
