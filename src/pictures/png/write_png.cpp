// OpenCV's encoder is not used because it spent half of the time for a large picture in zlib, and because it cannot
// write grey with alpha.
#include "pictures/png/write_png.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "pictures/compression.h"
#include "pictures/metadata/named_part.h"
#include "pictures/png/scanlines.h"

namespace convtool {
namespace {

constexpr int kFastLevel = 1;  // the default

/// Scanlines of a strip, in bytes: enough that what a strip cannot refer to in the one before costs less than 0.5 % of
/// the file, and that a picture of 1920x1080 has a strip for each of 12 threads. The first scanline of a strip has a
/// poorer choice of filters, so a strip has several.
constexpr std::size_t kStripBytes = std::size_t{1} << 19;
constexpr std::int64_t kLeastStripRows = 16;

/// Pictures with fewer bytes of scanlines are compressed as a whole: clearing ISA-L's tables would take longer.
constexpr double kSmall = 1 << 16;

// Chunks (5.3): the size of the data, the type, the data, a checksum of type and data.

constexpr std::size_t kChunkFrame = 12;
constexpr std::size_t kLongestChunk = (std::size_t{1} << 31) - 1;

void put_u32(Bytes& bytes, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::byte>(value >> shift));
}

std::span<const std::byte> bytes_of(const char (&type)[5]) { return std::as_bytes(std::span(type, 4)); }

/// `checksum` is that of type and data.
void put_chunk(Bytes& file, const char (&type)[5], std::span<const std::byte> data, std::uint32_t checksum) {
  put_u32(file, data.size());
  file.insert(file.end(), bytes_of(type).begin(), bytes_of(type).end());
  file.insert(file.end(), data.begin(), data.end());
  put_u32(file, checksum);
}

void put_chunk(Bytes& file, const char (&type)[5], std::span<const std::byte> data) {
  put_chunk(file, type, data, crc32_of(data, crc32_of(bytes_of(type))));
}

Bytes image_header(const PictureShape& picture) {
  constexpr std::uint8_t kColourTypes[] = {0, 4, 2, 6};  // by number of channels (11.2.2)
  Bytes header;
  put_u32(header, static_cast<std::size_t>(picture.width));
  put_u32(header, static_cast<std::size_t>(picture.height));
  header.push_back(static_cast<std::byte>(8 * size_of(picture.dtype)));
  header.push_back(static_cast<std::byte>(kColourTypes[channel_count(picture.format) - 1]));
  header.insert(header.end(), 3, std::byte{0});  // Deflate, the five filters, not interlaced
  return header;
}

void put_metadata(Bytes& file, const PictureMetadata& metadata) {
  using namespace std::string_view_literals;
  constexpr int kLevel = 9;       // profiles are small
  if (!metadata.profile.empty())  // a name, and a zero for the method zlib (11.3.2.3)
    put_chunk(file, "iCCP", named_part("ICC profile\0\0"sv, deflate(metadata.profile, kLevel, std::nullopt)));
  if (metadata.resolution) {
    const Density density = png_density(*metadata.resolution).value();
    Bytes data;
    put_u32(data, density.x);
    put_u32(data, density.y);
    data.push_back(static_cast<std::byte>(density.unit == Resolution::Unit::none ? 0 : 1));
    put_chunk(file, "pHYs", data);
  }
  if (!metadata.exif.empty()) put_chunk(file, "eXIf", metadata.exif);
  if (!metadata.xmp.empty())  // not compressed, method 0, no language, no translated keyword (11.3.3.4)
    put_chunk(file, "iTXt", named_part("XML:com.adobe.xmp\0\0\0\0\0"sv, metadata.xmp));
}

/// The file up to the pixels.
Bytes file_start(const PictureShape& picture, const PictureMetadata& metadata) {
  constexpr std::uint8_t kSignature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  const auto signature = std::as_bytes(std::span(kSignature));
  Bytes file(signature.begin(), signature.end());
  put_chunk(file, "IHDR", image_header(picture));
  put_metadata(file, metadata);
  return file;
}

/// The scanlines of some rows.
struct Scanlines {
  std::unique_ptr<void, FreePixels> memory;
  std::span<const std::byte> bytes;
};

Scanlines make_scanlines(const ConstTensorRef& rows, bool is_top, bool choose) {
  const std::size_t size = scanline_size(rows) * static_cast<std::size_t>(rows.shape.h);
  Scanlines result{.memory = allocate_pixels(size), .bytes = {}};
  write_scanlines(rows, is_top, choose, static_cast<std::uint8_t*>(result.memory.get()));
  result.bytes = {static_cast<const std::byte*>(result.memory.get()), size};
  return result;
}

/// Strips become parts of the zlib stream (RFC 1950), each in a chunk of its own.
class PngStrips : public StripEncoder {
 public:
  PngStrips(const PictureShape& picture, std::int64_t strip_rows, const PictureMetadata& metadata)
      : StripEncoder(picture, strip_rows), file_(file_start(picture, metadata)) {
    // As much as noise takes. Pages that are not written take no memory.
    const std::int64_t row = picture.width * channel_count(picture.format) * size_of(picture.dtype);
    file_.reserve(file_.size() + static_cast<std::size_t>((row + row / 64 + 8) * picture.height));
  }

  void encode(std::int64_t at, const ConstTensorRef& rows) override {
    const Scanlines scanlines = make_scanlines(rows, at == 0, true);
    Strip strip{.data = deflate_part(scanlines.bytes, at == count() - 1),
                .adler = adler32_of(scanlines.bytes, kAdler32OfNothing),
                .size = scanlines.bytes.size()};
    if (at == 0) strip.data.insert(strip.data.begin(), std::begin(kZlibHeader), std::end(kZlibHeader));
    strip.crc = crc32_of(strip.data, crc32_of(bytes_of("IDAT")));

    const std::lock_guard lock(mutex_);
    waiting_.emplace(at, std::move(strip));
    for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_; ++next_) {
      append(std::move(first->second));
      first = waiting_.erase(first);
    }
  }

  Bytes finish() override {
    require(next_ == count(), "strips are missing");
    put_chunk(file_, "IEND", {});
    return std::move(file_);
  }

  double file_memory() const override { return 1.05 * pixel_bytes(picture().height); }

  /// Rows, scanlines and the compressed strip; tables.
  double strip_memory() const override { return 3.1 * pixel_bytes(strip_rows()) + (1 << 18); }

 private:
  struct Strip {
    Bytes data;
    std::uint32_t crc = 0, adler = 0;  ///< of the chunk and of the scanlines
    std::size_t size = 0;              ///< of the scanlines
  };

  void append(Strip strip) {
    adler_ = join_adler32(adler_, strip.adler, strip.size);
    if (next_ == count() - 1) {
      Bytes checksum;
      put_u32(checksum, adler_);
      strip.data.insert(strip.data.end(), checksum.begin(), checksum.end());
      strip.crc = crc32_of(checksum, strip.crc);
    }
    put_chunk(file_, "IDAT", strip.data, strip.crc);
  }

  std::mutex mutex_;
  Bytes file_;
  std::int64_t next_ = 0;                    // strip to be appended
  std::uint32_t adler_ = kAdler32OfNothing;  // of those before it
  std::map<std::int64_t, Strip> waiting_;    // for strips before them
};

}  // namespace

std::unique_ptr<StripEncoder> png_strip_encoder(const PictureShape& picture, const EncodeOptions& options,
                                                const PictureMetadata& metadata) {
  if (options.png_level.value_or(kFastLevel) != kFastLevel || options.png_strategy) return nullptr;
  const std::int64_t line = 1 + picture.width * channel_count(picture.format) * size_of(picture.dtype);
  if (static_cast<double>(line) * static_cast<double>(picture.height) < kSmall) return nullptr;
  const std::int64_t wanted = std::max(static_cast<std::int64_t>(kStripBytes) / line, kLeastStripRows);
  return std::make_unique<PngStrips>(picture, std::min(wanted, picture.height), metadata);
}

Bytes write_png(Image image, const EncodeOptions& options, const PictureMetadata& metadata) {
  const Shape shape = image.all().shape;
  Bytes file =
      file_start({.dtype = image.dtype(), .format = image.format(), .height = shape.h, .width = shape.w}, metadata);
  const int level = options.png_level.value_or(kFastLevel);
  const auto make_all = [level](Image last) { return make_scanlines(last.all(), true, level > 0); };
  const Bytes stream = deflate(make_all(std::move(image)).bytes, level, options.png_strategy);
  file.reserve(file.size() + stream.size() + kChunkFrame * (2 + stream.size() / kLongestChunk));
  for (std::span<const std::byte> rest = stream; !rest.empty();) {
    const std::size_t length = std::min(rest.size(), kLongestChunk);
    put_chunk(file, "IDAT", rest.first(length));
    rest = rest.subspan(length);
  }
  put_chunk(file, "IEND", {});
  return file;
}

}  // namespace convtool
