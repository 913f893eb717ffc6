// PNG: the IHDR chunk, and the chunks PLTE, tRNS, acTL, eXIf, iCCP, gAMA, sRGB, and texts with EXIF.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>

#include "core/text.h"
#include "files/byte_reader.h"
#include "pictures/headers/chunks.h"
#include "pictures/headers/formats.h"
#include "pictures/headers/png_text.h"

namespace convtool {
namespace {

enum class ColourType : std::uint32_t { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgba = 6 };

/// The data of the chunks that affect the decoded picture or its description; empty if there are none.
struct PngChunks {
  std::span<const std::byte> transparency, exif, profile, gamma, srgb;
  std::optional<Bytes> exif_in_text;  ///< of the first such text: each takes time to decompress
  bool has_palette = false;
  std::int64_t frames = 1;  ///< of an animation
};

/// Whether libpng uses this tRNS chunk of a picture with a palette of `colours` entries: others it ignores. Throws
/// Error(input) for one that it would use if its checksum were right: the picture would lose its alpha unnoticed.
bool is_transparency(const Chunk& chunk, ColourType colour_type, std::size_t colours) {
  const std::size_t size = chunk.data.size();
  const bool has_right_size = (colour_type == ColourType::grey && size == 2) ||
                              (colour_type == ColourType::rgb && size == 6) ||
                              (colour_type == ColourType::palette && size >= 1 && size <= colours);
  if (has_right_size && !chunk.is_sound()) throw_damaged("PNG", "the checksum of its transparency is wrong");
  return has_right_size;
}

PngChunks read_chunks(std::span<const std::byte> bytes, std::uint32_t bit_depth, ColourType colour_type) {
  PngChunks found;
  std::size_t colours = 0;
  bool before_pixels = true;
  // Metadata with a wrong checksum is ignored, as by libpng.
  const auto keep = [](std::span<const std::byte>& first, const Chunk& chunk) {
    if (first.empty() && chunk.is_sound()) first = chunk.data;
  };
  ChunkReader chunks(ChunkReader::Kind::png, bytes);
  while (const std::optional<Chunk> chunk = chunks.next()) {
    const std::string_view type = chunk->type;
    before_pixels = before_pixels && type != "IDAT";
    if (type == "PLTE" && before_pixels && !found.has_palette) {
      found.has_palette = true;
      colours = std::min(chunk->data.size() / 3, std::size_t{1} << bit_depth);
    }
    if (type == "acTL" && before_pixels && chunk->data.size() == 8 && chunk->is_sound())
      found.frames = std::max<std::int64_t>(1, ByteReader("PNG", chunk->data, ByteReader::Order::big).u32());
    if (type == "tRNS" && before_pixels && found.transparency.empty() && is_transparency(*chunk, colour_type, colours))
      found.transparency = chunk->data;
    if (type == "eXIf") keep(found.exif, *chunk);
    if (type == "iCCP") keep(found.profile, *chunk);
    if (type == "gAMA") keep(found.gamma, *chunk);
    if (type == "sRGB") keep(found.srgb, *chunk);
    if (!found.exif_in_text) found.exif_in_text = exif_in_text(*chunk);
  }
  return found;
}

/// Throws Error(input) for a combination that the PNG specification, 11.2.2, does not have.
void check_layout(std::uint32_t bit_depth, ColourType colour_type) {
  if (bit_depth > 16 || !std::has_single_bit(bit_depth))
    throw_damaged("PNG", "a depth of " + counted(bit_depth, "bit"));
  const std::string type = "colour type " + std::to_string(static_cast<std::uint32_t>(colour_type));
  bool fits = true;
  switch (colour_type) {
    case ColourType::grey: break;
    case ColourType::palette: fits = bit_depth <= 8; break;
    case ColourType::rgb:
    case ColourType::grey_alpha:
    case ColourType::rgba: fits = bit_depth >= 8; break;
    default: throw_damaged("PNG", type + ", expected 0, 2, 3, 4 or 6");
  }
  if (!fits) throw_damaged("PNG", type + " with a depth of " + counted(bit_depth, "bit"));
}

/// Whether the gamma differs from sRGB's. A profile or an sRGB chunk overrides it.
bool has_other_gamma(const PngChunks& chunks) {
  constexpr std::uint32_t kSrgbGamma = 45455;  // in units of 1 / 100000
  if (chunks.gamma.size() != 4 || !chunks.profile.empty() || !chunks.srgb.empty()) return false;
  return ByteReader("PNG", chunks.gamma, ByteReader::Order::big).u32() != kSrgbGamma;
}

}  // namespace

PictureHeader read_png_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::png};
  ByteReader file("PNG", bytes, ByteReader::Order::big, 8);
  if (file.u32() != 13 || file.text(4) != "IHDR") throw_damaged("PNG", "it does not begin with an IHDR chunk");
  header.width = file.u32();
  header.height = file.u32();
  const std::uint32_t bit_depth = file.u8();
  const auto colour_type = static_cast<ColourType>(file.u8());
  check_layout(bit_depth, colour_type);
  const std::uint32_t compression = file.u8(), filter = file.u8(), interlacing = file.u8();
  if (compression != 0 || filter != 0 || interlacing > 1)
    throw_damaged("PNG", "an unknown method of compression, filtering or interlacing");
  const PngChunks chunks = read_chunks(bytes, bit_depth, colour_type);
  if (colour_type == ColourType::palette && !chunks.has_palette) throw_damaged("PNG", "no palette before its pixels");
  header.pages = chunks.frames;
  header.grey_with_alpha = colour_type == ColourType::grey_alpha;
  const bool is_grey = colour_type == ColourType::grey || colour_type == ColourType::grey_alpha;
  const bool has_alpha =
      colour_type == ColourType::grey_alpha || colour_type == ColourType::rgba || !chunks.transparency.empty();
  header.channels = (is_grey ? 1 : 3) + (has_alpha ? 1 : 0);
  header.dtype = bit_depth == 16 ? DType::u16 : DType::u8;
  header.orientation =
      read_exif_orientation(chunks.exif.empty() && chunks.exif_in_text ? *chunks.exif_in_text : chunks.exif);
  header.has_gamma = has_other_gamma(chunks);
  if (colour_type == ColourType::grey && has_alpha) {
    const std::uint32_t largest = (1u << bit_depth) - 1;
    const std::uint32_t value = ByteReader("PNG", chunks.transparency, ByteReader::Order::big).u16() & largest;
    // The decoder scales 1, 2 and 4 bits to 8.
    header.transparent_grey = bit_depth < 8 ? value * 255 / largest : value;
  }
  return header;
}

}  // namespace convtool
