// Internal to pictures/: the directories of a TIFF structure, with all their values, read and written as bytes.
//
// TIFF and EXIF blocks are the same structure: directories of tagged values anywhere in the file (TIFF 6.0, section 2).
// In BigTIFF counts and offsets have 8 bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "files/buffer.h"

namespace convtool {

struct DirectoryEntry {
  std::uint32_t tag = 0, type = 0;
  std::uint64_t count = 0;
  std::uint64_t at = 0;              ///< of the entry in the structure
  std::span<const std::byte> value;  ///< `count` values, in the structure's byte order
  bool is_sound = true;              ///< false: the value is outside the structure, and empty here
};

struct Directory {
  std::uint64_t begin = 0, end = 0;  ///< without the link to the next directory
  std::vector<DirectoryEntry> entries;

  const DirectoryEntry* find(std::uint32_t tag) const;
};

/// Does not own the bytes. Members throw Error(input) for damage.
class TiffStructure {
 public:
  explicit TiffStructure(std::span<const std::byte> bytes);

  std::endian order() const { return order_; }
  bool is_big() const { return is_big_; }
  int offset_size() const { return is_big_ ? 8 : 4; }
  std::uint64_t first() const { return first_; }  ///< where the first directory begins

  /// Throws if an entry is outside the structure. An entry of an unknown type has an empty value.
  Directory directory(std::uint64_t at) const;

  /// The directory that the value of `entry` points to.
  Directory directory(const DirectoryEntry& entry) const;

  /// Where the directory after another one begins; 0 if there is none.
  std::uint64_t next(const Directory& directory) const;

  /// The number in a value of integers.
  std::uint64_t number(const DirectoryEntry& entry, std::uint64_t index = 0) const;

 private:
  std::span<const std::byte> bytes_;
  std::endian order_;
  bool is_big_ = false;
  std::uint64_t first_ = 0;
};

/// An entry to be written: a value, or a directory that it points to.
struct NewEntry {
  std::uint32_t tag = 0, type = 0;
  std::uint64_t count = 0;
  Bytes value = {};                      ///< in the byte order in which it is written
  std::vector<NewEntry> directory = {};  ///< if not empty, `value` is where it begins
};

/// The entry with its value in `order`.
NewEntry copy_entry(const DirectoryEntry& entry, std::endian from, std::endian order);

/// An entry of one unsigned number, of 16 or 32 bits.
NewEntry short_entry(std::uint32_t tag, std::uint16_t value, std::endian order);

/// Appends a directory of `entries`, sorted by tag, with all values and directories that they point to, to the
/// structure `file`. `next` is where the directory after it begins; 0 if there is none. Returns where the new one
/// begins.
std::uint64_t append_directory(Bytes& file, std::vector<NewEntry> entries, std::endian order, bool is_big,
                               std::uint64_t next = 0);

}  // namespace convtool
