// TIFF: tags of the directory of a page. TIFF 6.0, section 8; ICC.1, annex B.5; XMP specification, part 3, section 3.
#include "files/byte_reader.h"
#include "pictures/metadata/exif_block.h"
#include "pictures/metadata/picture_metadata.h"
#include "pictures/metadata/readers.h"

namespace convtool {

StoredMetadata read_tiff_metadata(std::span<const std::byte> bytes, std::uint64_t page_at) {
  constexpr std::uint32_t kXmp = 700, kProfile = 34675;
  StoredMetadata found;
  try {
    const TiffStructure tiff(bytes);
    const Directory page = tiff.directory(page_at == 0 ? tiff.first() : page_at);
    if (const DirectoryEntry* const entry = page.find(kProfile)) found.profile = copy_part(entry->value);
    if (const DirectoryEntry* const entry = page.find(kXmp)) found.xmp = copy_part(entry->value);
    found.resolution = resolution_in(tiff, page);
    try {
      found.exif = exif_of_tiff(bytes, page);
      if (found.exif && found.exif->size() > kMostMetadata) found.exif = Bytes();
    } catch (const Error&) {
      found.exif = Bytes();
    }
  } catch (const Error&) {
  }
  return found;
}

}  // namespace convtool
