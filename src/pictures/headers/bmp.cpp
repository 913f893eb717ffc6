// BMP: the header, the palette and the channel masks.
#include <algorithm>
#include <bit>
#include <string>
#include <string_view>

#include "core/text.h"
#include "files/byte_reader.h"
#include "pictures/headers/bmp_layout.h"
#include "pictures/headers/formats.h"

namespace convtool {
namespace {

using Compression = BmpLayout::Compression;

constexpr std::uint64_t kFileHeader = 14;
constexpr std::uint32_t kCoreHeader = 12, kInfoHeader = 40, kWithMasks = 52, kWithAlphaMask = 56, kOs2Header = 64;

[[noreturn]] void refuse_bmp(const std::string& kind) {
  throw Error(ErrorKind::input, "", "a BMP with " + kind + " cannot be read; convert it to PNG");
}

/// The meaning of `code`, which OS/2 and Windows number differently from 3 on.
Compression compression_of(std::uint32_t code, std::uint32_t bits, bool may_be_os2) {
  if (code == 3 && bits == 1 && may_be_os2) refuse_bmp("Huffman compression");
  if (code == 4 && bits == 24) refuse_bmp("run lengths of 24 bits");
  if (code == 4) refuse_bmp("an embedded JPEG");
  if (code == 5) refuse_bmp("an embedded PNG");
  const bool is_index = bits == 1 || bits == 2 || bits == 4 || bits == 8;
  const bool has_fields = bits == 16 || bits == 32;
  if (code == 0 && (is_index || has_fields || bits == 24)) return Compression::none;
  if ((code == 1 && bits == 8) || (code == 2 && bits == 4)) return Compression::run_lengths;
  if ((code == 3 || code == 6) && has_fields) return Compression::bit_fields;
  refuse_bmp(std::to_string(bits) + " bits per pixel and compression " + std::to_string(code));
}

/// The palette at the position of `file`, which has at most `most` colours.
std::vector<std::array<std::uint8_t, 3>> read_palette(ByteReader& file, std::uint32_t bits, std::uint64_t most,
                                                      bool has_padding) {
  std::vector<std::array<std::uint8_t, 3>> palette(std::size_t{1} << bits);
  for (std::size_t i = 0; i < std::min<std::uint64_t>(most, palette.size()); ++i) {
    for (std::uint8_t& value : palette[i]) value = static_cast<std::uint8_t>(file.u8());
    if (has_padding) file.skip(1);
  }
  return palette;
}

std::array<std::uint32_t, 4> default_masks(std::uint32_t bits) {
  if (bits == 16) return {0x7c00, 0x3e0, 0x1f, 0};
  return {0xff0000, 0xff00, 0xff, 0};
}

std::array<std::uint32_t, 4> read_masks(ByteReader& file, std::uint32_t bits, int count) {
  std::array<std::uint32_t, 4> masks = {};
  for (int i = 0; i < count; ++i) masks[static_cast<std::size_t>(i)] = file.u32();
  for (const std::uint32_t mask : masks) {
    const int count_of_bits = std::popcount(mask), end = static_cast<int>(std::bit_width(mask));
    const bool is_row = mask == 0 || end - std::countr_zero(mask) == count_of_bits;
    if (!is_row || end > static_cast<int>(bits))
      throw_damaged("BMP", "a channel mask that is not a row of bits in a pixel");
  }
  // Some writers leave masks out and mean the usual ones.
  if (masks[0] == 0 && masks[1] == 0 && masks[2] == 0) return default_masks(bits);
  return masks;
}

/// Whether an ICC profile names sRGB, in ASCII or UTF-16. A picture without a profile counts as sRGB.
bool names_srgb(std::string_view profile) {
  using namespace std::string_view_literals;
  return profile.find("sRGB"sv) != std::string_view::npos || profile.find("s\0R\0G\0B"sv) != std::string_view::npos;
}

/// Whether a header of version 5 has a profile other than sRGB's, in the file or in another one that it names.
bool has_other_bmp_profile(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kVersion5 = 124;
  ByteReader file("BMP", bytes, ByteReader::Order::little, kFileHeader);
  if (file.u32() < kVersion5) return false;
  file.seek(kFileHeader + 56);
  const std::string_view colour_space = file.text(4);  // four letters, the last one first
  if (colour_space == "KNIL") return true;
  if (colour_space != "DEBM") return false;
  file.seek(kFileHeader + 112);
  const std::uint64_t at = kFileHeader + file.u32(), size = file.u32();
  if (at > bytes.size() || size > bytes.size() - at) return true;  // damage that affects no pixel
  return size > 0 && !names_srgb({reinterpret_cast<const char*>(bytes.data()) + at, size});
}

}  // namespace

bool BmpLayout::has_grey_palette() const {
  return !palette.empty() && std::all_of(palette.begin(), palette.end(), [](const auto& colour) {
    return colour[0] == colour[1] && colour[1] == colour[2];
  });
}

std::int64_t BmpLayout::channels() const { return has_grey_palette() ? 1 : masks[3] != 0 ? 4 : 3; }

BmpLayout read_bmp_layout(std::span<const std::byte> bytes) {
  BmpLayout layout;
  ByteReader file("BMP", bytes, ByteReader::Order::little, 10);
  layout.pixels_at = file.u32();
  const std::uint32_t header_bytes = file.u32();
  const std::uint64_t header_end = kFileHeader + header_bytes;
  const bool is_core = header_bytes == kCoreHeader;
  if (!is_core && header_bytes < 16) throw_damaged("BMP", "a header of " + counted(header_bytes, "byte"));
  // OS/2 2.x allows headers that end after any field from the depth on. Missing fields are 0.
  const auto field = [&] { return file.position() + 4 <= header_end ? file.u32() : 0; };
  if (is_core) {
    layout.width = file.u16();
    layout.height = file.u16();
  } else {
    layout.width = file.i32();
    const std::int64_t height = file.i32();
    layout.top_down = height < 0;
    layout.height = height < 0 ? -height : height;
    if (layout.width < 0) throw_damaged("BMP", "a negative width");
  }
  file.skip(2);  // planes
  layout.bits = file.u16();
  const std::uint32_t code = field();
  for (int i = 0; i < 3; ++i) field();  // size of the pixels in bytes, resolution
  const std::uint32_t colours = field();

  layout.compression = compression_of(code, layout.bits, header_bytes != kInfoHeader && header_bytes <= kOs2Header);
  if (layout.pixels_at != 0 && layout.pixels_at < header_end) throw_damaged("BMP", "pixels that begin in its header");
  if (layout.compression == Compression::bit_fields) {
    file.seek(header_bytes < kWithMasks ? header_end : kFileHeader + kInfoHeader);
    layout.masks = read_masks(file, layout.bits, code == 6 || header_bytes >= kWithAlphaMask ? 4 : 3);
  } else if (layout.bits == 16 || layout.bits == 32) {
    layout.masks = default_masks(layout.bits);
  }
  file.seek(std::max(file.position(), header_end));
  if (layout.bits <= 8) {
    // Some OS/2 files have fewer colours than their depth allows, and no field that says so.
    const std::uint64_t colour_bytes = is_core ? 3 : 4;
    std::uint64_t most = colours == 0 ? std::uint64_t{1} << layout.bits : colours;
    if (layout.pixels_at != 0) most = std::min(most, (layout.pixels_at - header_end) / colour_bytes);
    layout.palette = read_palette(file, layout.bits, most, !is_core);
  }
  if (layout.pixels_at == 0) layout.pixels_at = file.position();
  return layout;
}

PictureHeader read_bmp_header(std::span<const std::byte> bytes) {
  const BmpLayout layout = read_bmp_layout(bytes);
  return {.type = PictureType::bmp,
          .width = layout.width,
          .height = layout.height,
          .channels = layout.channels(),
          .has_profile = has_other_bmp_profile(bytes)};
}

}  // namespace convtool
