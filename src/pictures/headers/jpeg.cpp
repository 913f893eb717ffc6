// JPEG: the frame, and whether the file continues to its end with data for all components.
#include <algorithm>
#include <string_view>

#include "files/byte_reader.h"
#include "pictures/headers/formats.h"
#include "pictures/headers/jpeg_structure.h"
#include "pictures/headers/multi_picture.h"

namespace convtool {
namespace {

constexpr std::int64_t kCoefficient = sizeof(std::int16_t);  // libjpeg's JCOEF
constexpr std::uint32_t kExif = 0xe1, kPictures = 0xe2;      // APP1, APP2

}  // namespace

PictureHeader read_jpeg_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::jpeg};
  bool has_exif = false;
  const JpegStructure jpeg = read_jpeg_structure(bytes, [&](std::uint32_t marker, std::span<const std::byte> data) {
    const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
    if (marker == kExif && !has_exif && text.starts_with("Exif")) {  // APP1 has other uses as well
      header.orientation = read_exif_orientation(data);
      has_exif = true;
    }
    if (marker == kPictures) header.pages = std::max(header.pages, count_listed_pictures(data));
  });
  if (!jpeg.has_end) throw_damaged("JPEG", "no end-of-image marker");
  if (jpeg.frame == 0 || jpeg.scans == 0) throw_damaged("JPEG", "no picture before its end-of-image marker");
  jpeg.check_frame();
  jpeg.check_scans();
  header.width = jpeg.width;
  header.height = jpeg.height;
  header.channels = jpeg.components.size() == 1 ? 1 : 3;  // the decoder converts CMYK to RGB
  if (jpeg.is_progressive() || jpeg.scans > 1) {  // libjpeg keeps all coefficients, in whole blocks of up to 32 pixels
    const auto in_blocks = [](std::int64_t side) { return (side + 31) / 32 * 32; };
    header.working_memory =
        kCoefficient * std::ssize(jpeg.components) * in_blocks(header.width) * in_blocks(header.height);
  }
  return header;
}

}  // namespace convtool
