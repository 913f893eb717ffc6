// JPEG. Not with OpenCV 4.6, which makes CMYK up to 2 levels too light, and which reports damage only by the text that
// libjpeg prints.
#include <vector>

#include "files/byte_reader.h"
#include "pictures/decoders/decoders.h"
#include "pictures/jpeg/libjpeg.h"
#include "pictures/opencv/opencv_support.h"

namespace convtool {
namespace {

/// A decompressor, freed in the end.
class Decompressor {
 public:
  explicit Decompressor(JpegMessages& messages) : codec_() {
    codec_.err = messages.install();
    if (!try_step(messages, [this] { jpeg_create_decompress(&codec_); })) throw std::bad_alloc();
  }
  ~Decompressor() { jpeg_destroy_decompress(&codec_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  jpeg_decompress_struct& operator*() { return codec_; }

 private:
  jpeg_decompress_struct codec_;
};

/// Inks, of which 255 is none, to the light that is left of each: exact, rounded to nearest.
void inks_to_colours(const JSAMPLE* cmyk, std::uint8_t* bgr, std::int64_t width) {
  for (std::int64_t x = 0; x < width; ++x, cmyk += 4, bgr += 3)
    for (int c = 0; c < 3; ++c) bgr[2 - c] = static_cast<std::uint8_t>((cmyk[c] * cmyk[3] + 127) / 255);
}

}  // namespace

cv::Mat decode_jpeg(std::span<const std::byte> bytes, const PictureHeader& header) {
  JpegMessages messages;
  Decompressor decompressor(messages);
  jpeg_decompress_struct& codec = *decompressor;
  const auto failed = [&] {
    if (messages.is_out_of_memory) throw std::bad_alloc();
    if (messages.is_damaged) throw_damaged("JPEG", "parts of its data are invalid");
    return cv::Mat();
  };
  if (!try_step(messages, [&] {
        jpeg_mem_src(&codec, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
        jpeg_read_header(&codec, TRUE);
      }))
    return failed();
  if (codec.image_width != header.width || codec.image_height != header.height)
    throw_damaged("JPEG", "its size differs from its header");

  if ((codec.num_components == 1) != (header.channels == 1))
    throw_damaged("JPEG", "its components differ from its header");

  const bool is_grey = codec.num_components == 1, has_inks = codec.num_components == 4;
  codec.out_color_space = is_grey ? JCS_GRAYSCALE : has_inks ? JCS_CMYK : JCS_EXT_BGR;
  cv::Mat pixels = call_opencv([&] {
    return cv::Mat(static_cast<int>(header.height), static_cast<int>(header.width), is_grey ? CV_8UC1 : CV_8UC3);
  });
  std::vector<JSAMPLE> inks(has_inks ? 4 * static_cast<std::size_t>(header.width) : 0);
  if (!try_step(messages, [&] {
        jpeg_start_decompress(&codec);
        while (codec.output_scanline < codec.output_height) {
          std::uint8_t* const row = pixels.ptr(static_cast<int>(codec.output_scanline));
          JSAMPROW to = has_inks ? inks.data() : row;
          jpeg_read_scanlines(&codec, &to, 1);
          if (has_inks) inks_to_colours(inks.data(), row, header.width);
        }
        jpeg_finish_decompress(&codec);
      }))
    return failed();
  return pixels;
}

}  // namespace convtool
