// JPEG. Not with OpenCV 4.6, which makes CMYK up to 2 levels too light, and which reports damage only by the text that
// libjpeg prints.
// clang-format off
#include <cstdio>  // before jpeglib.h, which uses FILE without declaring it
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>
#include <cstdlib>
#include <vector>

#include "files/byte_reader.h"
#include "pictures/decoders/decoders.h"
#include "pictures/opencv/opencv_support.h"

namespace convtool {
namespace {

/// libjpeg's handler of errors and messages: prints nothing, and returns to try_step() after an error and at the first
/// sign of damage, after which libjpeg would go on with made-up pixels, for minutes if there are many scans.
struct JpegMessages {
  jpeg_error_mgr manager;  // first, so that a pointer to it is one to the whole
  std::jmp_buf after_error;
  bool is_damaged = false, is_out_of_memory = false;

  static JpegMessages& of(j_common_ptr codec) { return *reinterpret_cast<JpegMessages*>(codec->err); }
};

/// The warnings that do not concern the pixels: bytes between segments, markers with unknown contents, scans in an
/// unusual order. A new kind of warning counts as damage.
bool is_harmless(int code) {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
         code == JWRN_NOT_SEQUENTIAL || code == JWRN_BOGUS_PROGRESSION;
}

[[noreturn]] void leave_step(j_common_ptr codec) {
  JpegMessages& messages = JpegMessages::of(codec);
  messages.is_out_of_memory = codec->err->msg_code == JERR_OUT_OF_MEMORY;
  std::longjmp(messages.after_error, 1);
}

void stop_at_damage(j_common_ptr codec, int level) {
  constexpr int kWarning = -1;
  if (level != kWarning || is_harmless(codec->err->msg_code)) return;
  JpegMessages::of(codec).is_damaged = true;
  leave_step(codec);
}

/// Runs calls of libjpeg, and returns false if one of them fails. `step` must not own anything: an error leaves it
/// without destructors.
template <class Step>
bool try_step(JpegMessages& messages, const Step& step) {
  if (setjmp(messages.after_error) != 0) return false;
  step();
  return true;
}

/// A decompressor, freed in the end.
class Decompressor {
 public:
  explicit Decompressor(JpegMessages& messages) : codec_() {
    codec_.err = jpeg_std_error(&messages.manager);
    messages.manager.emit_message = stop_at_damage;
    messages.manager.error_exit = leave_step;
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
