// PNG: the IHDR chunk, and the chunks tRNS, eXIf, iCCP, gAMA and sRGB.
#include <algorithm>
#include <string>

#include "files/byte_reader.h"
#include "pictures/compression.h"
#include "pictures/headers/chunks.h"
#include "pictures/headers/formats.h"
#include "pictures/headers/icc_profile.h"

namespace convtool {
namespace {

using Order = ByteReader::Order;

/// Whether the gamma differs from sRGB's. A profile or an sRGB chunk overrides it.
bool has_other_gamma(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kSrgbGamma = 45455;  // in units of 1 / 100000
  const std::span<const std::byte> gamma = find_chunk(Chunks::png, bytes, "gAMA");
  if (gamma.size() != 4 || !find_chunk(Chunks::png, bytes, "iCCP").empty()) return false;
  if (!find_chunk(Chunks::png, bytes, "sRGB").empty()) return false;
  return ByteReader("PNG", gamma, Order::big).u32() != kSrgbGamma;
}

/// An iCCP chunk is a name, a zero, a zero for the compression method zlib, and the compressed profile.
bool has_other_png_profile(std::span<const std::byte> bytes) {
  constexpr std::size_t kEnough = std::size_t{1} << 16;  // a profile has its name near the start
  const std::span<const std::byte> chunk = find_chunk(Chunks::png, bytes, "iCCP");
  const auto end_of_name = std::find(chunk.begin(), chunk.end(), std::byte{0});
  if (chunk.end() - end_of_name < 2) return false;
  return is_other_profile(chunk) &&
         !names_srgb(inflate_start(chunk.subspan(static_cast<std::size_t>(end_of_name - chunk.begin()) + 2), kEnough));
}

}  // namespace

PictureHeader read_png_header(std::span<const std::byte> bytes) {
  enum ColourType : std::uint32_t { kGrey = 0, kGreyAlpha = 4, kRgba = 6 };

  PictureHeader header{.type = PictureType::png};
  ByteReader file("PNG", bytes, Order::big, 8);
  if (file.u32() != 13 || file.text(4) != "IHDR") throw_damaged("PNG", "it does not begin with an IHDR chunk");
  header.width = file.u32();
  header.height = file.u32();
  const std::uint32_t bit_depth = file.u8();
  const std::uint32_t colour_type = file.u8();
  if (bit_depth < 1 || bit_depth > 16) throw_damaged("PNG", "a depth of " + std::to_string(bit_depth) + " bits");
  header.grey_with_alpha = colour_type == kGreyAlpha;
  const bool has_transparency = !find_chunk(Chunks::png, bytes, "tRNS").empty();
  const bool is_grey = colour_type == kGrey || colour_type == kGreyAlpha;
  const bool has_alpha = colour_type == kGreyAlpha || colour_type == kRgba || has_transparency;
  header.channels = (is_grey ? 1 : 3) + (has_alpha ? 1 : 0);
  header.dtype = bit_depth == 16 ? DType::u16 : DType::u8;
  header.orientation = read_exif_orientation(find_chunk(Chunks::png, bytes, "eXIf"));
  header.has_profile = has_other_png_profile(bytes);
  header.has_gamma = has_other_gamma(bytes);
  if (colour_type != kGrey) return header;

  file.skip(3 + 4);  // compression, filter and interlace methods; CRC
  while (true) {
    const std::uint32_t length = file.u32();
    const std::string_view type = file.text(4);
    if (type == "IDAT" || type == "IEND") return header;
    if (type == "tRNS" && length == 2) {
      const std::uint32_t largest = (1u << bit_depth) - 1;
      const std::uint32_t value = file.u16() & largest;
      // The decoder scales 1, 2 and 4 bits to 8.
      header.transparent_grey = bit_depth < 8 ? value * 255 / largest : value;
      return header;
    }
    file.skip(std::uint64_t{length} + 4);
  }
}

}  // namespace convtool
