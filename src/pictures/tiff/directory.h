// Internal to pictures/: a directory of a TIFF file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "files/byte_reader.h"

namespace convtool {

enum TiffTag : std::uint32_t {
  kImageWidth = 256,
  kImageLength = 257,
  kBitsPerSample = 258,
  kCompression = 259,
  kPhotometric = 262,
  kFillOrder = 266,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamplesPerPixel = 277,
  kRowsPerStrip = 278,
  kStripByteCounts = 279,
  kPlanarConfiguration = 284,
  kColourMap = 320,
  kTileWidth = 322,
  kTileLength = 323,
  kTileOffsets = 324,
  kTileByteCounts = 325,
  kInkSet = 332,
  kExtraSamples = 338,
  kSampleFormat = 339,
  kYcbcrSubsampling = 530,
  kNumberOfImages = 45057,  ///< in the index of a Multi-Picture file
  kPictureList = 45058,     ///< there, too
};

/// A TIFF is a directory of tagged values, anywhere in the file, that point to blocks of pixels (TIFF 6.0, section 2).
/// In BigTIFF counts and offsets have 8 bytes. Members throw Error(input) for a damaged directory unless stated
/// otherwise. Does not own the bytes.
class TiffDirectory {
 public:
  /// The directory at an offset of the file; 0: the first.
  explicit TiffDirectory(std::span<const std::byte> bytes, std::uint64_t at = 0);

  std::uint64_t file_size() const { return file_.size(); }

  /// The number of directories. Each contains a page, or a thumbnail or mask of one. Stops at the first damaged
  /// one instead of throwing.
  std::int64_t count_pages();

  /// Where this directory and those after it in the chain begin.
  std::vector<std::uint64_t> chain();

  /// The number of values of a tag; 0 if the tag is missing.
  std::uint64_t count(TiffTag tag);

  /// The first `most` values of a tag, or all if there are fewer; empty if the tag is missing.
  std::vector<std::uint64_t> values(TiffTag tag, std::uint64_t most);

  /// The values of a tag, read from the file one at a time: a table may be larger than memory allows.
  class Table {
   public:
    std::uint64_t count() const { return count_; }
    std::uint64_t operator[](std::uint64_t index);

   private:
    friend class TiffDirectory;
    Table(const ByteReader& file, int value_size, std::uint64_t count, std::uint64_t values_at)
        : file_(file), value_size_(value_size), count_(count), values_at_(values_at) {}

    ByteReader file_;
    int value_size_;
    std::uint64_t count_, values_at_;
  };

  /// The table of a tag; an empty one if the tag is missing.
  Table table(TiffTag tag);

  /// The first value of a tag, or `otherwise` if the tag is missing.
  std::uint64_t value(TiffTag tag, std::uint64_t otherwise);

  /// value() that also returns `otherwise` for a damaged tag, for tags whose damage is not a reason to reject a
  /// picture.
  std::uint64_t value_if_sound(TiffTag tag, std::uint64_t otherwise);

  /// The first value of a tag. Throws Error(input) with `name` if the tag is missing.
  std::uint64_t required(TiffTag tag, const char* name);

  /// The bytes of the directory and of all values that it points to, except those of strips and tiles. Values that
  /// several tags share count once for each.
  double bytes_of_values();

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
