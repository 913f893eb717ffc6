// Internal to pictures/: where the pixels of a BMP are, and how they are stored.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace convtool {

struct BmpLayout {
  enum class Compression { none, run_lengths, bit_fields };

  std::int64_t width = 0, height = 0;
  bool top_down = false;   ///< the first stored row is the top one
  std::uint32_t bits = 0;  ///< per pixel: 1, 2, 4 or 8 of an index; 16, 24 or 32 of a colour
  Compression compression = Compression::none;
  /// 2^bits colours, blue, green, red; black where the file has fewer. Empty for pixels of more than 8 bits.
  std::vector<std::array<std::uint8_t, 3>> palette = {};
  /// The bits of red, green, blue and alpha in pixels of 16 and 32 bits: adjacent ones, or 0 for a missing channel.
  std::array<std::uint32_t, 4> masks = {};
  std::uint64_t pixels_at = 0;

  bool has_grey_palette() const;
  /// Of the decoded picture: 1 for a palette of greys, 4 with an alpha mask, otherwise 3.
  std::int64_t channels() const;
};

/// Reads the header of a BMP of OS/2 1.x and 2.x, and of Windows with the header versions 3 to 5 and their two short
/// forms of 52 and 56 bytes. Throws Error(input) for a damaged header and for pixels in a compression that is not read:
/// JPEG, PNG, and of OS/2 Huffman and RLE24. Sources: Microsoft, BITMAPCOREHEADER to BITMAPV5HEADER; IBM, "OS/2 Bitmap
/// File Format".
BmpLayout read_bmp_layout(std::span<const std::byte> bytes);

}  // namespace convtool
