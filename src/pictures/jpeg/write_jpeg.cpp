// Not with OpenCV, which swaps the colours in a pass of its own.
#include "pictures/jpeg/write_jpeg.h"

#include <cstdlib>

#include "pictures/jpeg/libjpeg.h"

namespace convtool {
namespace {

/// A compressor and the file that it writes into memory, both freed in the end.
struct Compressor {
  explicit Compressor(JpegMessages& messages) : codec() {
    codec.err = messages.install();
    if (!try_step(messages, [this] { jpeg_create_compress(&codec); })) throw std::bad_alloc();
  }
  ~Compressor() {
    jpeg_destroy_compress(&codec);
    std::free(file);
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  jpeg_compress_struct codec;
  unsigned char* file = nullptr;  // from malloc()
  unsigned long size = 0;
};

}  // namespace

Bytes write_jpeg(const cv::Mat& pixels, int quality) {
  JpegMessages messages;
  Compressor compressor(messages);
  jpeg_compress_struct& codec = compressor.codec;
  const bool done = try_step(messages, [&] {
    jpeg_mem_dest(&codec, &compressor.file, &compressor.size);
    codec.image_width = static_cast<JDIMENSION>(pixels.cols);
    codec.image_height = static_cast<JDIMENSION>(pixels.rows);
    codec.input_components = pixels.channels();
    codec.in_color_space = pixels.channels() == 1 ? JCS_GRAYSCALE : JCS_EXT_BGR;
    jpeg_set_defaults(&codec);
    jpeg_set_quality(&codec, quality, TRUE);
    jpeg_start_compress(&codec, TRUE);
    while (codec.next_scanline < codec.image_height) {
      JSAMPROW row = const_cast<JSAMPROW>(pixels.ptr(static_cast<int>(codec.next_scanline)));
      jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
  });
  if (!done && messages.is_out_of_memory) throw std::bad_alloc();
  if (!done) throw Error(ErrorKind::output, "", "libjpeg cannot write this picture");
  const auto* const first = reinterpret_cast<const std::byte*>(compressor.file);
  return Bytes(first, first + compressor.size);
}

}  // namespace convtool
