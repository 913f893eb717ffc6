// Not with OpenCV, which swaps the colours in a pass of its own.
#include "pictures/jpeg/write_jpeg.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "files/byte_reader.h"
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

/// What stands before the pixels, beside libjpeg's own headers.
struct Front {
  Bytes exif, xmp, profile;
  std::optional<Density> density;
};

Front make_front(const PictureMetadata& metadata) {
  using namespace std::string_view_literals;
  Front front;
  if (!metadata.exif.empty()) front.exif = named_part("Exif\0\0"sv, metadata.exif);
  if (!metadata.xmp.empty()) front.xmp = named_part("http://ns.adobe.com/xap/1.0/\0"sv, metadata.xmp);
  front.profile = metadata.profile;
  if (metadata.resolution) front.density = jpeg_density(*metadata.resolution);
  return front;
}

/// A whole file with some rows. A restart interval of 0 is none.
Bytes compress(const ConstTensorRef& rows, int quality, unsigned restart_interval, const Front& front) {
  const TensorView<const std::uint8_t> pixels = rows.view<std::uint8_t>();
  const bool is_grey = rows.shape.c == 1, is_reversed = rows.strides.c < 0;
  JpegMessages messages;
  Compressor compressor(messages);
  jpeg_compress_struct& codec = compressor.codec;
  JpegFile file;
  file.attach(codec);
  const bool done = try_step(messages, [&] {
    codec.image_width = static_cast<JDIMENSION>(rows.shape.w);
    codec.image_height = static_cast<JDIMENSION>(rows.shape.h);
    codec.input_components = static_cast<int>(rows.shape.c);
    codec.in_color_space = is_grey ? JCS_GRAYSCALE : is_reversed ? JCS_EXT_BGR : JCS_EXT_RGB;
    jpeg_set_defaults(&codec);
    jpeg_set_quality(&codec, quality, TRUE);
    codec.restart_interval = restart_interval;
    if (front.density) set_density(codec, *front.density);
    jpeg_start_compress(&codec, TRUE);
    constexpr int kExifAndXmp = JPEG_APP0 + 1;
    if (!front.exif.empty()) write_segment(codec, kExifAndXmp, front.exif);
    if (!front.xmp.empty()) write_segment(codec, kExifAndXmp, front.xmp);
    if (!front.profile.empty())
      jpeg_write_icc_profile(&codec, reinterpret_cast<const JOCTET*>(front.profile.data()),
                             static_cast<unsigned>(front.profile.size()));
    const std::int64_t first_channel = is_reversed ? rows.shape.c - 1 : 0;
    while (codec.next_scanline < codec.image_height) {
      JSAMPROW row = const_cast<JSAMPROW>(pixels.row(0, first_channel, codec.next_scanline));
      jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
  });
  if (!done && messages.is_out_of_memory) throw std::bad_alloc();
  if (!done) throw Error(ErrorKind::output, "", "libjpeg cannot write this picture");
  return std::move(file.bytes);
}

// Strips. After a restart marker, coding begins anew, on a whole byte and without the last block's value. So the coded
// data of a strip, written as a picture of its own, is what libjpeg would write for these rows after such a marker.

/// Pixels of a strip, in bytes: it takes 2 ms, and 50 bytes of the file.
constexpr std::int64_t kJpegStripBytes = std::int64_t{1} << 19;

/// Pictures of fewer bytes have no restart markers.
constexpr std::int64_t kUnbroken = std::int64_t{1} << 21;

constexpr std::size_t kMarker = 2;  // bytes

/// Rows of a strip: all, or whole units of coding, which have 16 rows and 16 columns in colour, 8 of each in grey.
std::int64_t strip_rows_of(const PictureShape& picture) {
  constexpr std::int64_t kUnit = 16;
  const std::int64_t row = picture.width * channel_count(picture.format);
  if (row * picture.height <= kUnbroken || picture.height > JPEG_MAX_DIMENSION) return picture.height;
  return std::min(std::max(kJpegStripBytes / row, kUnit) / kUnit * kUnit, picture.height);
}

/// Units in these rows: at most 2^16 - 1, as a strip has at most 2^19 bytes of 64 or more in a unit, or 16 rows.
unsigned units_in(std::int64_t rows, const PictureShape& picture) {
  const std::int64_t side = picture.format == PixelFormat::grey ? DCTSIZE : 2 * DCTSIZE;
  return static_cast<unsigned>((picture.width + side - 1) / side * (rows / side));
}

/// Calls use(marker, place of its segment) for the segments before the coded data, and returns where that begins
/// (ITU-T T.81, B.1.1).
template <class Use>
std::size_t for_each_segment(const Bytes& file, const Use& use) {
  constexpr unsigned kStartOfScan = 0xda;
  for (std::size_t at = kMarker;;) {
    const auto marker = std::to_integer<unsigned>(file[at + 1]);
    use(marker, at);
    at += kMarker + load_number<std::uint16_t>(&file[at + kMarker], std::endian::big);
    if (marker == kStartOfScan) return at;
  }
}

void set_height(Bytes& file, std::int64_t height) {
  constexpr unsigned kBaselineFrame = 0xc0;
  constexpr std::size_t kHeight = kMarker + 2 + 1;  // after the size of the segment, and the precision
  for_each_segment(file, [&](unsigned marker, std::size_t at) {
    if (marker == kBaselineFrame)
      store_number(&file[at + kHeight], static_cast<std::uint16_t>(height), std::endian::big);
  });
}

Bytes join_strips(std::vector<Bytes> strips, std::int64_t height) {
  constexpr unsigned kRestart = 0xd0, kRestarts = 8;
  std::size_t size = 0;
  for (const Bytes& strip : strips) size += strip.size();
  Bytes file;
  file.reserve(size);
  for (std::size_t i = 0; i < strips.size(); ++i) {
    const Bytes strip = std::move(strips[i]);
    std::size_t begin = 0;
    if (i > 0) {
      begin = for_each_segment(strip, [](unsigned, std::size_t) {});
      file.insert(file.end() - kMarker, {std::byte{0xff}, static_cast<std::byte>(kRestart + (i - 1) % kRestarts)});
      file.resize(file.size() - kMarker);  // the end of the picture
    }
    file.insert(file.end(), strip.begin() + static_cast<std::ptrdiff_t>(begin), strip.end());
  }
  set_height(file, height);
  return file;
}

class JpegStrips : public StripEncoder {
 public:
  JpegStrips(const PictureShape& picture, int quality, const PictureMetadata& metadata)
      : StripEncoder(picture, strip_rows_of(picture)),
        quality_(quality),
        front_(make_front(metadata)),
        strips_(static_cast<std::size_t>(count())) {}

  void encode(std::int64_t at, const ConstTensorRef& rows) override {
    const unsigned interval = count() == 1 ? 0 : units_in(strip_rows(), picture());
    strips_[static_cast<std::size_t>(at)] = compress(rows, quality_, interval, at == 0 ? front_ : Front{});
  }

  Bytes finish() override { return join_strips(std::move(strips_), picture().height); }

  /// The strips, and the file that they are copied to.
  double file_memory() const override { return 2 * coded(pixel_bytes(picture().height)); }

  /// Rows, and the compressed strip, which grows by doubling.
  double strip_memory() const override {
    return pixel_bytes(strip_rows()) + 3 * coded(pixel_bytes(strip_rows())) + (1 << 18);
  }

 private:
  /// Of `pixels` bytes, which are black and white noise, at quality 100. (Measured: 1.88 times these bytes for grey,
  /// 0.77 for colours, whose chroma has half the rows and columns.)
  double coded(double pixels) const { return (picture().format == PixelFormat::grey ? 1.9 : 1) * pixels; }

  const int quality_;
  const Front front_;
  std::vector<Bytes> strips_;
};

}  // namespace

std::unique_ptr<StripEncoder> jpeg_strip_encoder(const PictureShape& picture, const EncodeOptions& options,
                                                 const PictureMetadata& metadata) {
  constexpr int kQuality = 95;
  return std::make_unique<JpegStrips>(picture, options.quality.value_or(kQuality), metadata);
}

}  // namespace convtool
