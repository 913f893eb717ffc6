// WebP. Not with OpenCV 4.6, which refuses files of less than 32 bytes.
#include <webp/decode.h>

#include "files/byte_reader.h"
#include "pictures/decoders/decoders.h"
#include "pictures/opencv/opencv_support.h"

namespace convtool {

cv::Mat decode_webp(std::span<const std::byte> bytes, const PictureHeader& header) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return {};
  const bool has_alpha = header.channels == 4;
  cv::Mat pixels = call_opencv([&] {
    return cv::Mat(static_cast<int>(header.height), static_cast<int>(header.width), has_alpha ? CV_8UC4 : CV_8UC3);
  });
  config.output.colorspace = has_alpha ? MODE_BGRA : MODE_BGR;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {pixels.data, static_cast<int>(pixels.step),
                          pixels.step * static_cast<std::size_t>(pixels.rows)};
  const VP8StatusCode status = WebPDecode(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  // libwebp 1.5 reports an invalid alpha chunk as a lack of memory, too. If there is memory, the chunk is invalid.
  if (status == VP8_STATUS_OUT_OF_MEMORY) call_opencv([&] { return pixels.clone(); });
  if (status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED)
    throw_damaged("WebP", "it ends too early");
  if (status != VP8_STATUS_OK) throw_damaged("WebP", "parts of its data are invalid");
  return pixels;
}

}  // namespace convtool
