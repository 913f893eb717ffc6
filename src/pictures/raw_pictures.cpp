#include "pictures/raw_pictures.h"

#include <algorithm>
#include <string>

#include "pictures/headers/netpbm_text.h"

namespace convtool {
namespace {

/// Enough for the header of a PNM or PFM, with comments.
constexpr std::uint64_t kHead = 64 << 10;

Bytes bytes_at(const RandomAccessFile& file, std::uint64_t offset, std::uint64_t most) {
  Bytes bytes(std::min(most, file.size() - offset));
  file.read(offset, bytes);
  return bytes;
}

bool is_whole_head(std::span<const std::byte> head) {
  try {
    read_pnm_layout(head);
    return true;
  } catch (const Error&) {
    return false;
  }
}

RawPicture read_pnm(const RandomAccessFile& file, std::span<const std::byte> head) {
  Bytes next;
  const auto at = [&](std::uint64_t offset) -> std::span<const std::byte> {
    constexpr std::uint64_t kShortHead = 4 << 10;  // most are shorter, and there may be many
    next = bytes_at(file, offset, kShortHead);
    if (sniff_picture_type(next) == PictureType::pnm && !is_whole_head(next)) next = bytes_at(file, offset, kHead);
    return next;
  };
  const PnmLayout layout = read_pnm_layout(head);
  return {.header = pnm_header(layout, count_pnm_pictures(layout, file.size(), at)), .layout = layout.raster()};
}

}  // namespace

std::optional<RawPicture> read_raw_picture(const RandomAccessFile& file) {
  const Bytes head = bytes_at(file, 0, kHead);
  const std::optional<PictureType> type = sniff_picture_type(head);
  if (type != PictureType::pnm && type != PictureType::pfm) return std::nullopt;
  try {
    std::optional<RawPicture> picture;  // text is none
    if (type == PictureType::pfm) {
      const PfmLayout layout = read_pfm_layout(head, file.size());
      picture = RawPicture{.header = pfm_header(layout), .layout = layout.raster()};
    } else if (head[1] >= std::byte{'4'}) {
      picture = read_pnm(file, head);
    }
    if (!picture || !picture->layout.fits(file.size())) return std::nullopt;
    return picture;
  } catch (const Error& error) {
    if (error.where().empty()) return std::nullopt;  // damaged, or with a longer header
    throw;
  }
}

bool is_raw(const PictureFormat& format) {
  return format.name == "pnm" || format.name == "pgm" || format.name == "ppm" || format.name == "pfm";
}

std::optional<RasterFormat> raw_picture_format(const PictureFormat& format, DType dtype, PixelFormat pixels,
                                               std::int64_t height, std::int64_t width) {
  if (!is_raw(format)) return std::nullopt;
  check_storable(format, dtype, pixels, height, width);
  const Shape shape{.n = 1, .c = channel_count(pixels), .h = height, .w = width};
  return format.name == "pfm" ? pfm_format(shape) : pnm_format(dtype, shape);
}

}  // namespace convtool
