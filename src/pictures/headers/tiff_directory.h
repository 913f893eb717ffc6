// Internal to pictures/: the first directory of a TIFF file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "files/byte_reader.h"

namespace convtool {

enum TiffTag : std::uint32_t {
  kImageWidth = 256,
  kImageLength = 257,
  kBitsPerSample = 258,
  kCompression = 259,
  kPhotometric = 262,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamplesPerPixel = 277,
  kRowsPerStrip = 278,
  kStripByteCounts = 279,
  kPlanarConfiguration = 284,
  kTileWidth = 322,
  kTileLength = 323,
  kTileOffsets = 324,
  kTileByteCounts = 325,
  kExtraSamples = 338,
  kSampleFormat = 339,
  kIccProfile = 34675,
};

/// A TIFF is a directory of tagged values, anywhere in the file, that point to blocks of pixels (TIFF 6.0, section 2).
/// In BigTIFF counts and offsets have 8 bytes. Members throw Error(input) for a damaged directory unless stated
/// otherwise. Does not own the bytes.
class TiffDirectory {
 public:
  explicit TiffDirectory(std::span<const std::byte> bytes);

  std::uint64_t file_size() const { return file_.size(); }

  /// The number of directories. Each contains a page, or a thumbnail or mask of one. Stops at the first damaged
  /// one instead of throwing.
  std::int64_t count_pages();

  /// The bytes of a tag that does not affect pixels. Empty if the tag is missing or damaged.
  std::string_view text(TiffTag tag);

  /// All values of a tag; empty if the tag is missing.
  std::vector<std::uint64_t> values(TiffTag tag);

  /// The first value of a tag, or `otherwise` if the tag is missing.
  std::uint64_t value(TiffTag tag, std::uint64_t otherwise);

  /// value() that also returns `otherwise` for a damaged tag, for tags whose damage is not a reason to reject a
  /// picture.
  std::uint64_t value_if_sound(TiffTag tag, std::uint64_t otherwise);

  /// The first value of a tag. Throws Error(input) with `name` if the tag is missing.
  std::uint64_t required(TiffTag tag, const char* name);

  /// The position in the file of the first value of a tag, if it is a 16-bit value.
  std::optional<std::size_t> position_of_u16(TiffTag tag);

 private:
  struct Entry {
    int value_size;
    std::uint64_t count, values_at;
  };

  /// Skips the entries at the current position, and returns where they begin.
  std::uint64_t skip_entries();
  std::optional<Entry> find(TiffTag tag);

  int offset_size() const { return big_ ? 8 : 4; }
  std::uint64_t entry_size() const { return big_ ? 20 : 12; }

  ByteReader file_;
  bool big_ = false;
  std::uint64_t entry_count_ = 0, entries_at_ = 0;
};

}  // namespace convtool
