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

/// Inks, of which 255 is none, to the light that is left of each: exact, rounded to nearest. The first colour goes to
/// `colours[first]`, the third to the other end.
void inks_to_colours(const JSAMPLE* cmyk, std::uint8_t* colours, std::int64_t width, int first) {
  const int step = first == 0 ? 1 : -1;
  for (std::int64_t x = 0; x < width; ++x, cmyk += 4, colours += 3)
    for (int c = 0; c < 3; ++c) colours[first + step * c] = static_cast<std::uint8_t>((cmyk[c] * cmyk[3] + 127) / 255);
}

/// Decodes rows in R, G, B or B, G, R, or grey. Where a step fails, the codec is of no further use.
class JpegReader {
 public:
  JpegReader(std::span<const std::byte> bytes, ColourOrder order)
      : bytes_(bytes), order_(order), decompressor_(messages_) {}

  bool read_header() {
    return try_step(messages_, [&] {
      jpeg_mem_src(&codec_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
      jpeg_read_header(&codec_, TRUE);
    });
  }

  std::int64_t width() const { return codec_.image_width; }
  std::int64_t height() const { return codec_.image_height; }
  bool is_grey() const { return codec_.num_components == 1; }

  bool start() {
    const J_COLOR_SPACE colours = order_ == ColourOrder::rgb ? JCS_EXT_RGB : JCS_EXT_BGR;
    codec_.out_color_space = is_grey() ? JCS_GRAYSCALE : has_inks() ? JCS_CMYK : colours;
    inks_.resize(has_inks() ? 4 * static_cast<std::size_t>(width()) : 0);
    return try_step(messages_, [&] { jpeg_start_decompress(&codec_); });
  }

  /// Puts the next `count` rows to `first`, each `stride` bytes after the one before.
  bool read(std::uint8_t* first, std::size_t stride, std::int64_t count) {
    return try_step(messages_, [&] {
      for (std::int64_t y = 0; y < count; ++y) {
        std::uint8_t* const row = first + static_cast<std::size_t>(y) * stride;
        JSAMPROW to = has_inks() ? inks_.data() : row;
        jpeg_read_scanlines(&codec_, &to, 1);
        if (has_inks()) inks_to_colours(inks_.data(), row, width(), order_ == ColourOrder::rgb ? 0 : 2);
      }
    });
  }

  bool finish() {
    return try_step(messages_, [&] { jpeg_finish_decompress(&codec_); });
  }

  /// After a failure. Throws std::bad_alloc if that was the reason.
  void check_memory() const {
    if (messages_.is_out_of_memory) throw std::bad_alloc();
  }

  /// After a failure. Throws Error(input) for damage, std::bad_alloc.
  void throw_reason() const {
    check_memory();
    if (messages_.is_damaged) throw_damaged("JPEG", "parts of its data are invalid");
  }

 private:
  bool has_inks() const { return codec_.num_components == 4; }

  const std::span<const std::byte> bytes_;
  const ColourOrder order_;
  JpegMessages messages_;
  Decompressor decompressor_;
  jpeg_decompress_struct& codec_ = *decompressor_;
  std::vector<JSAMPLE> inks_;  // of a row
};

class JpegRows : public PictureRows {
 public:
  JpegRows(std::span<const std::byte> bytes, ColourOrder order) : reader(bytes, order) {}

  bool read(const TensorRef& rows) override {
    // Not before: the start of a progressive JPEG decodes all of its scans.
    if (!has_started_ && !reader.start()) return failed();
    has_started_ = true;
    const auto row_bytes = static_cast<std::size_t>(rows.shape.c * rows.shape.w);
    return reader.read(static_cast<std::uint8_t*>(rows.data), row_bytes, rows.shape.h) || failed();
  }

  bool is_sound() override { return reader.finish() || failed(); }

  JpegReader reader;

 private:
  bool failed() const {
    reader.check_memory();
    return false;
  }

  bool has_started_ = false;
};

}  // namespace

cv::Mat decode_jpeg(std::span<const std::byte> bytes, const PictureHeader& header) {
  JpegReader reader(bytes, ColourOrder::bgr);
  const auto failed = [&] {
    reader.throw_reason();
    return cv::Mat();
  };
  if (!reader.read_header()) return failed();
  if (reader.width() != header.width || reader.height() != header.height)
    throw_damaged("JPEG", "its size differs from its header");
  if (reader.is_grey() != (header.channels == 1)) throw_damaged("JPEG", "its components differ from its header");
  cv::Mat pixels = call_opencv([&] {
    return cv::Mat(static_cast<int>(header.height), static_cast<int>(header.width),
                   reader.is_grey() ? CV_8UC1 : CV_8UC3);
  });
  if (!reader.start() || !reader.read(pixels.ptr(0), pixels.step, header.height) || !reader.finish()) return failed();
  return pixels;
}

std::unique_ptr<PictureRows> jpeg_rows(std::span<const std::byte> bytes, const PictureHeader& header,
                                       ColourOrder order) {
  auto rows = std::make_unique<JpegRows>(bytes, order);
  JpegReader& reader = rows->reader;
  if (!reader.read_header()) {
    reader.check_memory();
    return nullptr;
  }
  const bool is_as_header = reader.width() == header.width && reader.height() == header.height &&
                            reader.is_grey() == (header.channels == 1) && header.dtype == DType::u8;
  return is_as_header ? std::move(rows) : nullptr;
}

}  // namespace convtool
