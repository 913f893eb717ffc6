// WebP: the size and alpha as libwebp reads them, and the chunk EXIF of a file that begins with VP8X.
#include <webp/decode.h>

#include <string_view>

#include "files/byte_reader.h"
#include "pictures/headers/chunks.h"
#include "pictures/headers/formats.h"

namespace convtool {

PictureHeader read_webp_header(std::span<const std::byte> bytes) {
  PictureHeader header{.type = PictureType::webp};
  ByteReader file("WebP", bytes, ByteReader::Order::little, 4);
  if (file.u32() > bytes.size() - 8) throw_damaged("WebP", "it ends too early");
  file.skip(4);
  const std::string_view type = file.text(4);
  WebPBitstreamFeatures features;
  const VP8StatusCode status =
      WebPGetFeatures(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), &features);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) throw_damaged("WebP", "it ends too early");
  if (status != VP8_STATUS_OK) throw_damaged("WebP", "its first chunks are invalid");
  if (features.has_animation != 0)
    throw Error(ErrorKind::input, "", "an animated WebP cannot be read; extract a frame of it first");
  header.width = features.width;
  header.height = features.height;
  header.channels = features.has_alpha != 0 ? 4 : 3;
  header.working_memory =
      5 * header.width * header.height;  // lossless: colours of 4 bytes; lossy: alpha, unfiltered too
  if (type == "VP8X") header.orientation = read_exif_orientation(find_chunk(ChunkReader::Kind::riff, bytes, "EXIF"));
  return header;
}

}  // namespace convtool
