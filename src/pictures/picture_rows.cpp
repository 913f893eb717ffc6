#include "pictures/picture_rows.h"

#include <limits>

#include "pictures/decoders/decoders.h"
#include "pictures/png/read_png.h"

namespace convtool {

std::unique_ptr<PictureRows> open_picture_rows(std::span<const std::byte> bytes, const PictureHeader& header,
                                               ColourOrder order) {
  if (bytes.size() > std::numeric_limits<int>::max() || header.orientation != Orientation::top_left) return nullptr;
  if (header.type == PictureType::png) return usual_png_rows(bytes, header, order);
  if (header.type == PictureType::jpeg) return jpeg_rows(bytes, header, order);
  return nullptr;
}

}  // namespace convtool
