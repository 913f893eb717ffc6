// Not with OpenCV, which swaps the colours in a pass of its own.
#include "pictures/jpeg/write_jpeg.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "pictures/jpeg/libjpeg.h"
#include "pictures/metadata/named_part.h"

namespace convtool {
namespace {

/// Collects what libjpeg writes. Not jpeg_mem_dest(), whose memory has no owner when an error ends it.
struct JpegFile {
  jpeg_destination_mgr manager = {};  // first, so that a pointer to it is one to the whole
  std::array<JOCTET, 1 << 16> buffer;
  Bytes bytes;

  static JpegFile& of(j_compress_ptr codec) { return *reinterpret_cast<JpegFile*>(codec->dest); }

  void attach(jpeg_compress_struct& codec) {
    manager.init_destination = empty;
    manager.empty_output_buffer = [](j_compress_ptr owner) -> boolean {
      JpegFile& file = of(owner);
      file.append(owner, file.buffer.size());
      empty(owner);
      return TRUE;
    };
    manager.term_destination = [](j_compress_ptr owner) {
      JpegFile& file = of(owner);
      file.append(owner, file.buffer.size() - file.manager.free_in_buffer);
    };
    codec.dest = &manager;
  }

 private:
  static void empty(j_compress_ptr codec) {
    JpegFile& file = of(codec);
    file.manager.next_output_byte = file.buffer.data();
    file.manager.free_in_buffer = file.buffer.size();
  }

  void append(j_compress_ptr codec, std::size_t size) {
    bool has_room = true;
    try {
      const auto* const first = reinterpret_cast<const std::byte*>(buffer.data());
      bytes.insert(bytes.end(), first, first + size);
    } catch (const std::bad_alloc&) {  // must not pass through libjpeg
      has_room = false;
    }
    if (!has_room) ERREXIT1(codec, JERR_OUT_OF_MEMORY, 0);
  }
};

/// A compressor, freed in the end.
struct Compressor {
  explicit Compressor(JpegMessages& messages) : codec() {
    codec.err = messages.install();
    if (!try_step(messages, [this] { jpeg_create_compress(&codec); })) throw std::bad_alloc();
  }
  ~Compressor() { jpeg_destroy_compress(&codec); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  jpeg_compress_struct codec;
};

/// In JFIF's own segment.
void set_density(jpeg_compress_struct& codec, const Density& density) {
  codec.density_unit = static_cast<UINT8>(density.unit);
  codec.X_density = static_cast<UINT16>(density.x);
  codec.Y_density = static_cast<UINT16>(density.y);
}
static_assert(static_cast<int>(Resolution::Unit::inch) == 1 && static_cast<int>(Resolution::Unit::centimetre) == 2);

void write_segment(jpeg_compress_struct& codec, int marker, const Bytes& data) {
  jpeg_write_marker(&codec, marker, reinterpret_cast<const JOCTET*>(data.data()), static_cast<unsigned>(data.size()));
}

}  // namespace

Bytes write_jpeg(const cv::Mat& pixels, int quality, const PictureMetadata& metadata) {
  using namespace std::string_view_literals;
  const Bytes exif = named_part("Exif\0\0"sv, metadata.exif),
              xmp = named_part("http://ns.adobe.com/xap/1.0/\0"sv, metadata.xmp);
  std::optional<Density> density;
  if (metadata.resolution) density = jpeg_density(*metadata.resolution);
  JpegMessages messages;
  Compressor compressor(messages);
  jpeg_compress_struct& codec = compressor.codec;
  JpegFile file;
  file.attach(codec);
  const bool done = try_step(messages, [&] {
    codec.image_width = static_cast<JDIMENSION>(pixels.cols);
    codec.image_height = static_cast<JDIMENSION>(pixels.rows);
    codec.input_components = pixels.channels();
    codec.in_color_space = pixels.channels() == 1 ? JCS_GRAYSCALE : JCS_EXT_BGR;
    jpeg_set_defaults(&codec);
    jpeg_set_quality(&codec, quality, TRUE);
    if (density) set_density(codec, *density);
    jpeg_start_compress(&codec, TRUE);
    constexpr int kExifAndXmp = JPEG_APP0 + 1;
    if (!metadata.exif.empty()) write_segment(codec, kExifAndXmp, exif);
    if (!metadata.xmp.empty()) write_segment(codec, kExifAndXmp, xmp);
    if (!metadata.profile.empty())
      jpeg_write_icc_profile(&codec, reinterpret_cast<const JOCTET*>(metadata.profile.data()),
                             static_cast<unsigned>(metadata.profile.size()));
    while (codec.next_scanline < codec.image_height) {
      JSAMPROW row = const_cast<JSAMPROW>(pixels.ptr(static_cast<int>(codec.next_scanline)));
      jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
  });
  if (!done && messages.is_out_of_memory) throw std::bad_alloc();
  if (!done) throw Error(ErrorKind::output, "", "libjpeg cannot write this picture");
  return std::move(file.bytes);
}

}  // namespace convtool
