// Internal to pictures/: read_metadata(), one function per format. The header of the file has been read, so its
// signature and the chain of its segments or its directory are sound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "files/buffer.h"
#include "pictures/metadata/resolution.h"

namespace convtool {

/// The parts of a file as they are stored; nothing for those that it lacks. A part that is damaged or larger than
/// kMostMetadata is empty.
struct StoredMetadata {
  std::optional<Bytes> profile, exif, xmp;
  std::optional<Resolution> resolution;
};

/// A copy of a part, empty if it is too large.
Bytes copy_part(std::span<const std::byte> part);

StoredMetadata read_png_metadata(std::span<const std::byte> bytes);
StoredMetadata read_jpeg_metadata(std::span<const std::byte> bytes);
StoredMetadata read_webp_metadata(std::span<const std::byte> bytes);
StoredMetadata read_tiff_metadata(std::span<const std::byte> bytes, std::uint64_t page_at);

}  // namespace convtool
