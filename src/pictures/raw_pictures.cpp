#include "pictures/raw_pictures.h"

#include <algorithm>
#include <string>

#include "files/regular_file.h"
#include "pictures/headers/netpbm_text.h"
#include "pictures/image_header.h"

namespace convtool {
namespace {

/// Enough for the header of a PNM or PFM, with comments.
constexpr std::uint64_t kHead = 64 << 10;

Bytes bytes_at(const RandomAccessFile& file, std::uint64_t offset, std::uint64_t most) {
  Bytes bytes(std::min(most, file.size() - offset));
  file.read(offset, bytes);
  return bytes;
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
      const PnmLayout layout = read_pnm_layout(head);
      picture = RawPicture{.header = pnm_header(layout), .layout = layout.raster()};
    }
    if (!picture || !picture->layout.fits(file.size())) return std::nullopt;
    if (picture->layout.offset + picture->layout.size() < file.size())
      picture->header.pictures = count_pictures(MappedFile(file.path()).bytes());
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
