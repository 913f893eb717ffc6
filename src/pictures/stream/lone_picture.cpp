#include "pictures/stream/lone_picture.h"

#include <algorithm>
#include <cstdint>

#include "files/byte_reader.h"
#include "pictures/headers/bmp_layout.h"
#include "pictures/headers/netpbm_text.h"
#include "pictures/picture_type.h"
#include "pictures/stream/exr_end.h"
#include "pictures/stream/tiff_end.h"

namespace convtool {
namespace {

ByteReader little_endian(std::span<const std::byte> bytes, std::uint64_t at) {
  return {"", bytes, ByteReader::Order::little, at};
}

/// The end with the zeros after it, if nothing else follows: no picture begins with a zero, so they are padding.
std::size_t end_with_padding(std::span<const std::byte> bytes, std::size_t end) {
  const std::span<const std::byte> rest = bytes.subspan(end);
  const bool is_padding = std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
  return is_padding ? bytes.size() : end;
}

/// The size of the pixels in bytes; nothing where the header does not say it.
std::optional<std::uint64_t> bmp_pixel_bytes(std::span<const std::byte> bytes, const BmpLayout& layout) {
  constexpr std::uint32_t kSizeAt = 34, kHeaderAt = 14, kWithSize = 24;
  if (layout.compression == BmpLayout::Compression::run_lengths) {
    const bool has_size = little_endian(bytes, kHeaderAt).u32() >= kWithSize;
    const std::uint32_t size = has_size ? little_endian(bytes, kSizeAt).u32() : 0;
    return size > 0 ? std::optional<std::uint64_t>(size) : std::nullopt;
  }
  const std::uint64_t stride = (static_cast<std::uint64_t>(layout.width) * layout.bits + 31) / 32 * 4;
  const auto rows = static_cast<std::uint64_t>(layout.height);
  if (stride > 0 && rows > bytes.size() / stride) return std::nullopt;
  return stride * rows;
}

/// The end of the colour profile that a header of version 5 places in the file, or 0.
std::uint64_t bmp_profile_end(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kHeaderAt = 14, kVersion5 = 124, kPlaceInHeader = 112;
  if (little_endian(bytes, kHeaderAt).u32() < kVersion5) return 0;
  ByteReader place = little_endian(bytes, kHeaderAt + kPlaceInHeader);
  const std::uint64_t at = place.u32(), size = place.u32();
  return size > 0 ? kHeaderAt + at + size : 0;
}

std::optional<std::size_t> find_bmp_end(std::span<const std::byte> bytes) {
  constexpr std::uint64_t kFileSizeAt = 2;
  const BmpLayout layout = read_bmp_layout(bytes);
  const std::optional<std::uint64_t> pixels = bmp_pixel_bytes(bytes, layout);
  if (!pixels) return std::nullopt;
  // Some writers leave the size of the file 0, or count something else.
  const std::uint64_t end = std::max<std::uint64_t>(
      {little_endian(bytes, kFileSizeAt).u32(), layout.pixels_at + *pixels, bmp_profile_end(bytes)});
  return end <= bytes.size() ? std::optional(end_with_padding(bytes, end)) : std::nullopt;
}

std::optional<std::size_t> find_webp_end(std::span<const std::byte> bytes) {
  constexpr std::uint64_t kSizeAt = 4, kHead = 8;
  const std::uint64_t size = little_endian(bytes, kSizeAt).u32(), end = kHead + size;
  if (end > bytes.size()) return std::nullopt;
  return std::min<std::uint64_t>(end + size % 2, bytes.size());
}

std::optional<std::size_t> find_pfm_end(std::span<const std::byte> bytes) {
  const RasterLayout raster = read_pfm_layout(bytes, bytes.size()).raster();
  if (!raster.fits(bytes.size())) return std::nullopt;
  return raster.offset + raster.size();
}

}  // namespace

std::optional<std::size_t> find_lone_picture_end(std::span<const std::byte> bytes) {
  try {
    const std::optional<PictureType> type = sniff_picture_type(bytes);
    if (type == PictureType::bmp) return find_bmp_end(bytes);
    if (type == PictureType::webp) return find_webp_end(bytes);
    if (type == PictureType::pfm) return find_pfm_end(bytes);
    if (type == PictureType::tiff) return end_with_padding(bytes, find_tiff_end(bytes));
    if (type == PictureType::exr) return end_with_padding(bytes, find_exr_end(bytes));
  } catch (const Error&) {
  }
  return std::nullopt;
}

}  // namespace convtool
