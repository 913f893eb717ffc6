// A TIFF of several pages, joined from files of one page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "files/buffer.h"

namespace convtool {

/// Joins TIFF files that encode_image() has made, all of them or none with EncodeOptions::big_tiff, to one whose pages
/// they are. The bytes are those of the files, without their headers and with their offsets moved. They are written in
/// order, one page behind, so one page is in memory, and the output may be a pipe.
class TiffJoiner {
 public:
  using Write = std::function<void(std::span<const std::byte>)>;

  explicit TiffJoiner(Write write) : write_(std::move(write)) {}

  /// Adds a page. Throws Error(output) if the file would exceed what its offsets reach, and as `write` does.
  void add(std::span<const std::byte> page);

  /// Writes what is left. Call it once, after the last page, of which there must be one.
  void finish();

 private:
  Write write_;
  Bytes last_;                 ///< the page that is not yet written
  std::size_t link_ = 0;       ///< in it, of the link to the next directory
  std::uint64_t written_ = 0;  ///< bytes before it
};

}  // namespace convtool
