// Internal to pictures/: the checksum of Deflate data in TIFF.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pictures/tiff/layout.h"
#include "pictures/tiff/libtiff_file.h"

namespace convtool {

/// How many bytes beyond their rows all strips or tiles of a picture may decode to: many may share data that decodes to
/// gigabytes.
using SpareBytes = std::atomic<std::int64_t>;
constexpr std::int64_t kSpareBytes = std::int64_t{1} << 26;

/// Looks at the checksums (RFC 1950) of the strips or tiles of one picture. libtiff does not where the data decodes to
/// more bytes.
class DeflateCheck {
 public:
  /// All arguments must outlive the check. `spare` is that of the picture, for checks on several threads.
  DeflateCheck(const TiffInput& file, const TiffLayout& layout, SpareBytes& spare)
      : file_(file), layout_(layout), spare_(spare) {}

  /// Whether strip or tile number `block`, which libtiff has decoded to `rows` of `row_bytes` each, has the right
  /// checksum. False also if the data decodes to more than twice the rows and 64 KiB, or to more than is left of the
  /// spare bytes. Throws std::bad_alloc.
  bool is_sound(std::uint32_t block, std::span<const std::byte> rows, std::size_t row_bytes);

 private:
  const TiffInput& file_;
  const TiffLayout& layout_;
  SpareBytes& spare_;
};

}  // namespace convtool
