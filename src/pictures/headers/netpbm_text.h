// Internal to pictures/: the text of PNM and PFM files, and where their pixels begin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "files/byte_reader.h"
#include "files/raster_values.h"
#include "pictures/picture_header.h"

namespace convtool {

/// The characters of a PNM in which a comment, from '#' to the end of its line, counts as that line end. So does
/// Netpbm's library, in headers and in pixels, and so a comment may follow a number directly.
class PnmText {
 public:
  PnmText(std::span<const std::byte> bytes, std::uint64_t position)
      : file_("PNM", bytes, ByteReader::Order::big, position) {}

  std::uint64_t position() const { return file_.position(); }

  /// Skips white space and reads a number, with the one character after it. Throws Error(input) if there is none of up
  /// to 2^31 - 1, or the file ends in it.
  std::int64_t number() { return number(false); }

  /// The same for a value of a pixel, which the end of the file may end.
  std::int64_t value() { return number(true); }

  /// Skips white space and reads one digit, 0 or 1.
  bool bit();

 private:
  std::int64_t number(bool may_end_with_file);
  char next();
  char next_after_space();

  ByteReader file_;
};

struct PnmLayout {
  int kind = 0;  ///< 1 to 6: P1 to P6
  std::int64_t width = 0, height = 0;
  std::int64_t largest = 1;  ///< 1 to 65535
  std::uint64_t pixels_at = 0;

  bool is_bitmap() const { return kind == 1 || kind == 4; }
  bool is_text() const { return kind <= 3; }
  int channels() const { return kind == 3 || kind == 6 ? 3 : 1; }
  /// The pixels of a binary picture.
  RasterLayout raster() const;
};

/// Reads the header of a PNM. Throws Error(input) for a damaged one. Source: Netpbm's pbm(5), pgm(5) and ppm(5).
PnmLayout read_pnm_layout(std::span<const std::byte> bytes);

/// How many characters of white space `bytes` begin with, as may follow the last number of a picture in text.
std::size_t count_spaces(std::span<const std::byte> bytes);

PictureHeader pnm_header(const PnmLayout& layout);

/// The file that stores u8 or u16.
RasterFormat pnm_format(DType dtype, const Shape& shape);

struct PfmLayout {
  int channels = 1;
  std::int64_t width = 0, height = 0;
  double scale = 1;  ///< neither 0 nor infinite as a float; negative: little-endian
  std::uint64_t pixels_at = 0;

  RasterLayout raster() const;
};

/// Reads the header of a PFM of `file_size` bytes, which begins with `bytes`. Throws Error(input) for a damaged one.
/// Source: Paul Debevec's description of the format.
PfmLayout read_pfm_layout(std::span<const std::byte> bytes, std::uint64_t file_size);

PictureHeader pfm_header(const PfmLayout& layout);

/// The file that stores f32, little-endian.
RasterFormat pfm_format(const Shape& shape);

}  // namespace convtool
