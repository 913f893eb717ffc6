// Signatures and headers. JPEG and TIFF, which take more than a header, have files of their own.
#include "pictures/image_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

#include "files/byte_reader.h"
#include "pictures/inflate.h"

namespace convtool {
namespace {

using Order = ByteReader::Order;

/// What isspace() says in the C locale.
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool begins_with(std::span<const std::byte> bytes, std::string_view signature, std::size_t at = 0) {
  return bytes.size() >= at + signature.size() &&
         std::string_view(reinterpret_cast<const char*>(bytes.data()) + at, signature.size()) == signature;
}

enum class Chunks { png, riff };

/// The data of the first chunk of this type; nothing when there is none, or the file ends before.
std::span<const std::byte> find_chunk(Chunks kind, std::span<const std::byte> bytes, std::string_view type) {
  const bool png = kind == Chunks::png;
  ByteReader file(png ? "PNG" : "WebP", bytes, png ? Order::big : Order::little, png ? 8 : 12);
  const auto left = [&] { return file.size() - file.position(); };
  while (left() >= 8) {
    std::uint64_t length = png ? file.u32() : 0;
    const std::string_view name = file.text(4);
    if (!png) length = file.u32();
    if (length > left()) return {};
    if (name == type) return bytes.subspan(file.position(), length);
    file.skip(length);
    const std::uint64_t after = png ? 4 : length % 2;  // a CRC; padding
    if (after > left()) return {};
    file.skip(after);
  }
  return {};
}

bool is_other_profile(std::span<const std::byte> profile) {
  return !profile.empty() && !names_srgb({reinterpret_cast<const char*>(profile.data()), profile.size()});
}

/// A PNG without a profile, and not said to be sRGB, whose gamma is another than 1 / 2.2.
bool has_other_gamma(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kSrgbGamma = 45455;  // in units of 1 / 100000
  const std::span<const std::byte> gamma = find_chunk(Chunks::png, bytes, "gAMA");
  if (gamma.size() != 4 || !find_chunk(Chunks::png, bytes, "iCCP").empty()) return false;
  if (!find_chunk(Chunks::png, bytes, "sRGB").empty()) return false;
  return ByteReader("PNG", gamma, Order::big).u32() != kSrgbGamma;
}

/// An iCCP chunk is a name, two zeros, the second of which says zlib, and the profile.
bool has_other_png_profile(std::span<const std::byte> bytes) {
  constexpr std::size_t kEnough = std::size_t{1} << 16;  // profiles describe themselves early on
  const std::span<const std::byte> chunk = find_chunk(Chunks::png, bytes, "iCCP");
  const auto end_of_name = std::find(chunk.begin(), chunk.end(), std::byte{0});
  if (chunk.end() - end_of_name < 2) return false;
  return is_other_profile(chunk) &&
         !names_srgb(inflate_start(chunk.subspan(static_cast<std::size_t>(end_of_name - chunk.begin()) + 2), kEnough));
}

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
      // The decoder spreads 1, 2 and 4 bits over 8.
      header.transparent_grey = bit_depth < 8 ? value * 255 / largest : value;
      return header;
    }
    file.skip(std::uint64_t{length} + 4);
  }
}

/// Whether every colour of a BMP's palette, of four bytes each, has its blue, green and red alike.
bool has_grey_palette(std::span<const std::byte> bytes, std::uint64_t at, std::uint32_t bits, std::uint32_t colours) {
  const std::uint64_t most = std::uint64_t{1} << bits;
  ByteReader palette("BMP", bytes, Order::little, at);
  for (std::uint64_t i = 0; i < (colours == 0 || colours > most ? most : colours); ++i) {
    const std::uint32_t blue = palette.u8(), green = palette.u8(), red = palette.u8();
    palette.skip(1);
    if (blue != green || green != red) return false;
  }
  return true;
}

PictureHeader read_bmp_header(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kBitFields = 3;
  PictureHeader header{.type = PictureType::bmp};
  ByteReader file("BMP", bytes, Order::little, 14);
  const std::uint32_t header_bytes = file.u32();
  if (header_bytes == 12)  // OpenCV 4.6 makes its colours grey
    throw Error(ErrorKind::input, "", "a BMP with an OS/2 header cannot be read; convert it to a newer kind");
  if (header_bytes < 40) throw_damaged("BMP", "a header of " + std::to_string(header_bytes) + " bytes");
  header.width = file.i32();
  const std::int64_t height = file.i32();  // negative: the top row comes first
  header.height = height < 0 ? -height : height;
  if (header.width < 0) throw_damaged("BMP", "a negative width");
  file.skip(2);  // planes
  const std::uint32_t bits = file.u16();
  const std::uint32_t compression = file.u32();
  file.skip(12);  // bytes of pixels, resolution
  const std::uint32_t colours = file.u32();
  file.skip(4);  // how many of them matter
  if (bits <= 8) header.channels = has_grey_palette(bytes, 14 + header_bytes, bits, colours) ? 1 : 3;
  if (bits != 32 || compression != kBitFields) return header;

  std::array<std::uint32_t, 4> masks = {};  // red, green, blue, alpha
  const bool has_alpha_mask = header_bytes >= 56;
  for (int i = 0; i < (has_alpha_mask ? 4 : 3); ++i) masks[static_cast<std::size_t>(i)] = file.u32();
  // OpenCV 4.6 takes any four bytes in a longer header, and only this order for granted in a shorter one.
  bool readable = has_alpha_mask || (masks[0] == 0xff0000 && masks[1] == 0xff00 && masks[2] == 0xff);
  for (const std::uint32_t mask : masks)
    readable = readable && (mask == 0xff || mask == 0xff00 || mask == 0xff0000 || mask == 0xff000000 || mask == 0);
  if (!readable)
    throw Error(ErrorKind::input, "", "a BMP with channels that are not whole bytes cannot be read; convert it to PNG");
  header.opaque = masks[3] == 0;
  header.channels = header.opaque ? 3 : 4;
  return header;
}

PictureHeader read_webp_header(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kAnimation = 0x02, kAlpha = 0x10;
  PictureHeader header{.type = PictureType::webp};
  ByteReader file("WebP", bytes, Order::little, 4);
  if (file.u32() > bytes.size() - 8) throw_damaged("WebP", "it ends too early");
  file.skip(4);
  const std::string_view type = file.text(4);
  file.skip(4);  // the length of this chunk
  if (type == "VP8 ") {
    file.skip(3);  // frame tag
    if (file.text(3) != "\x9d\x01\x2a") throw_damaged("WebP", "it does not begin with a key frame");
    header.width = file.u16() & 0x3fff;
    header.height = file.u16() & 0x3fff;
  } else if (type == "VP8L") {
    if (file.u8() != 0x2f) throw_damaged("WebP", "a wrong signature of its lossless data");
    const std::uint32_t sizes = file.u32();
    header.width = (sizes & 0x3fff) + 1;
    header.height = (sizes >> 14 & 0x3fff) + 1;
    header.channels = (sizes >> 28 & 1) != 0 ? 4 : 3;
  } else if (type == "VP8X") {
    const std::uint32_t flags = file.u8();
    if ((flags & kAnimation) != 0)
      throw Error(ErrorKind::input, "", "an animated WebP cannot be read; extract a frame of it first");
    file.skip(3);
    header.width = static_cast<std::int64_t>(file.number(3)) + 1;
    header.height = static_cast<std::int64_t>(file.number(3)) + 1;
    header.channels = (flags & kAlpha) != 0 ? 4 : 3;
    header.orientation = read_exif_orientation(find_chunk(Chunks::riff, bytes, "EXIF"));
    header.has_profile = is_other_profile(find_chunk(Chunks::riff, bytes, "ICCP"));
  } else {
    throw_damaged("WebP", "an unknown first chunk");
  }
  return header;
}

/// A decimal number after white space and comments, and the one character that ends it.
std::int64_t read_pnm_number(ByteReader& file) {
  char c = file.text(1)[0];
  while (is_space(c) || c == '#') {
    if (c == '#')
      while (c != '\n' && c != '\r') c = file.text(1)[0];
    c = file.text(1)[0];
  }
  std::int64_t value = 0;
  bool is_number = false;
  for (; c >= '0' && c <= '9'; c = file.text(1)[0]) {
    value = value * 10 + (c - '0');
    is_number = true;
    if (value > std::numeric_limits<std::int32_t>::max()) throw_damaged("PNM", "an impossibly large number");
  }
  if (!is_number) throw_damaged("PNM", "a header with something else than numbers");
  return value;
}

PictureHeader read_pnm_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::pnm};
  ByteReader file("PNM", bytes, Order::big, 1);
  const char kind = file.text(1)[0];
  header.width = read_pnm_number(file);
  header.height = read_pnm_number(file);
  header.channels = kind == '3' || kind == '6' ? 3 : 1;
  if (kind == '1' || kind == '4') return header;
  const std::int64_t largest = read_pnm_number(file);
  if (largest < 1 || largest > 65535)
    throw_damaged("PNM", "a largest value of " + std::to_string(largest) + ", not in 1..65535");
  header.dtype = largest > 255 ? DType::u16 : DType::u8;
  // Of numbers in text up to 255 the decoder makes 0..255; everything else it leaves as it is.
  const bool is_text = kind == '2' || kind == '3';
  if (largest != 65535 && largest != 255 && !(is_text && largest < 255)) header.full_value = largest;
  return header;
}

PictureHeader read_pfm_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::pfm, .channels = begins_with(bytes, "PF") ? 3 : 1, .dtype = DType::f32};
  ByteReader file("PFM", bytes, Order::little, 3);
  const auto read_side = [&] {
    const std::string_view rest = file.rest();
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || value < 0) throw_damaged("PFM", "a header without width and height");
    file.skip(static_cast<std::uint64_t>(end - rest.data()));
    if (!is_space(file.text(1)[0])) throw_damaged("PFM", "a header without width and height");
    return value;
  };
  header.width = read_side();
  header.height = read_side();
  return header;
}

PictureHeader read_exr_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::exr, .dtype = DType::f32};
  ByteReader file("OpenEXR", bytes, Order::little, 8);
  const auto read_name = [&] {
    const std::size_t length = file.rest().find('\0');
    if (length == std::string_view::npos) throw_damaged("OpenEXR", "a header without end");
    const std::string_view name = file.text(length);
    file.skip(1);
    return name;
  };
  bool has_window = false, has_colours = false, has_alpha = false;
  std::int64_t left = 0, top = 0, right = 0, bottom = 0;
  for (std::string_view name = read_name(); !name.empty(); name = read_name()) {
    const std::string_view type = read_name();
    const std::uint32_t size = file.u32();
    const std::uint64_t end = file.position() + size;
    if (name == "dataWindow" && type == "box2i" && size == 16) {
      left = file.i32(), top = file.i32(), right = file.i32(), bottom = file.i32();
      has_window = true;
    }
    if (name == "channels" && type == "chlist") {
      for (std::string_view channel = read_name(); !channel.empty(); channel = read_name()) {
        has_colours = has_colours || channel == "R" || channel == "G" || channel == "B";
        has_alpha = has_alpha || channel == "A";
        file.skip(16);  // type, linearity, sampling
      }
    }
    file.seek(end);
  }
  if (!has_window) throw_damaged("OpenEXR", "a header without data window");
  if (right < left - 1 || bottom < top - 1) throw_damaged("OpenEXR", "a data window of negative size");
  header.width = right - left + 1;
  header.height = bottom - top + 1;
  header.channels = (has_colours ? 3 : 1) + (has_alpha ? 1 : 0);
  return header;
}

}  // namespace

bool names_srgb(std::string_view profile) {
  using namespace std::string_view_literals;
  return profile.find("sRGB"sv) != std::string_view::npos || profile.find("s\0R\0G\0B"sv) != std::string_view::npos;
}

std::string_view to_string(PictureType type) {
  constexpr std::string_view kNames[] = {"PNG", "JPEG", "TIFF", "BMP", "WebP", "PNM", "PFM", "OpenEXR"};
  return kNames[static_cast<int>(type)];
}

std::optional<PictureType> sniff_picture_type(std::span<const std::byte> bytes) {
  using namespace std::string_view_literals;
  if (begins_with(bytes, "\x89PNG\r\n\x1a\n")) return PictureType::png;
  if (begins_with(bytes, "\xff\xd8\xff")) return PictureType::jpeg;
  for (const std::string_view signature : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (begins_with(bytes, signature)) return PictureType::tiff;
  if (begins_with(bytes, "BM")) return PictureType::bmp;
  if (begins_with(bytes, "RIFF") && begins_with(bytes, "WEBP", 8)) return PictureType::webp;
  if (begins_with(bytes, "\x76\x2f\x31\x01")) return PictureType::exr;
  if (begins_with(bytes, "PF\n") || begins_with(bytes, "Pf\n")) return PictureType::pfm;
  if (bytes.size() >= 3 && begins_with(bytes, "P")) {
    const char kind = static_cast<char>(bytes[1]);
    if (kind >= '1' && kind <= '6' && is_space(static_cast<char>(bytes[2]))) return PictureType::pnm;
  }
  return std::nullopt;
}

PictureHeader read_picture_header(std::span<const std::byte> bytes) {
  if (bytes.empty()) throw Error(ErrorKind::input, "", "the file is empty");
  const std::optional<PictureType> type = sniff_picture_type(bytes);
  if (!type)
    throw Error(ErrorKind::input, "", "not a picture that can be read (PNG, JPEG, TIFF, BMP, WebP, PNM, PFM, OpenEXR)");
  switch (*type) {
    case PictureType::png: return read_png_header(bytes);
    case PictureType::jpeg: return read_jpeg_header(bytes);
    case PictureType::tiff: return read_tiff_header(bytes);
    case PictureType::bmp: return read_bmp_header(bytes);
    case PictureType::webp: return read_webp_header(bytes);
    case PictureType::pnm: return read_pnm_header(bytes);
    case PictureType::pfm: return read_pfm_header(bytes);
    case PictureType::exr: return read_exr_header(bytes);
  }
  require(false, "a picture type without a reader");
  return {};
}

}  // namespace convtool
