// Internal to pictures/: the checksum of Deflate data in TIFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pictures/tiff/layout.h"
#include "pictures/tiff/libtiff_file.h"

namespace convtool {

/// Looks at the checksums (RFC 1950) of the strips or tiles of one picture. libtiff does not where the data decodes to
/// more bytes.
class DeflateCheck {
 public:
  /// Both arguments must outlive the check.
  DeflateCheck(const TiffInput& file, const TiffLayout& layout) : file_(file), layout_(layout) {}

  /// Whether strip or tile number `block`, which libtiff has decoded to `rows` of `row_bytes` each, has the right
  /// checksum. False also if the data decodes to more than twice the rows and 64 KiB, or that of all blocks together
  /// to more than 64 MiB beyond their rows: many blocks may share data that decodes to gigabytes. Throws
  /// std::bad_alloc.
  bool is_sound(std::uint32_t block, std::span<const std::byte> rows, std::size_t row_bytes);

 private:
  const TiffInput& file_;
  const TiffLayout& layout_;
  std::size_t spare_ = std::size_t{1} << 26;  ///< how many bytes beyond the rows the other blocks may decode to
};

}  // namespace convtool
