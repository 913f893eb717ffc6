// OpenCV's encoder is not used because it spent half of the time for a large picture in zlib, and because it cannot
// write grey with alpha.
#include "pictures/png/write_png.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/parallel.h"
#include "pictures/compression.h"
#include "pictures/metadata/named_part.h"
#include "pictures/png/scanlines.h"

namespace convtool {
namespace {

constexpr int kFastLevel = 1;  // the default

/// Scanlines of a strip, in bytes: enough that what a strip cannot refer to in the one before costs less than 0.5 % of
/// the file, and that a picture of 1920x1080 has a strip for each of 12 threads.
constexpr std::size_t kStripBytes = std::size_t{1} << 19;

/// Pictures with fewer bytes of scanlines are compressed as a whole: clearing ISA-L's tables would take longer.
constexpr double kSmall = 1 << 16;

// Chunks (5.3): the size of the data, the type, the data, a checksum of type and data.

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

Bytes image_header(const ConstTensorRef& pixels) {
  constexpr std::uint8_t kColourTypes[] = {0, 4, 2, 6};  // by number of channels (11.2.2)
  Bytes header;
  put_u32(header, static_cast<std::size_t>(pixels.shape.w));
  put_u32(header, static_cast<std::size_t>(pixels.shape.h));
  header.push_back(static_cast<std::byte>(8 * size_of(pixels.dtype)));
  header.push_back(static_cast<std::byte>(kColourTypes[pixels.shape.c - 1]));
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

bool is_in_strips(const ConstTensorRef& pixels, int level, const EncodeOptions& options) {
  const std::size_t line = scanline_size(pixels);
  return level == kFastLevel && !options.png_strategy && line < kLongestChunk &&
         static_cast<double>(line) * static_cast<double>(pixels.shape.h) >= kSmall;
}

/// The scanlines of some rows.
struct Scanlines {
  std::unique_ptr<void, FreePixels> memory;
  std::span<const std::byte> bytes;
};

Scanlines make_scanlines(const ConstTensorRef& pixels, std::int64_t begin, std::int64_t end, bool choose) {
  const std::size_t size = scanline_size(pixels) * static_cast<std::size_t>(end - begin);
  Scanlines result{.memory = allocate_pixels(size), .bytes = {}};
  write_scanlines(pixels, begin, end, choose, static_cast<std::uint8_t*>(result.memory.get()));
  result.bytes = {static_cast<const std::byte*>(result.memory.get()), size};
  return result;
}

/// A strip as part of the zlib stream (RFC 1950), and the checksums of the chunk and of the scanlines.
struct Strip {
  Bytes data;
  std::uint32_t crc = 0, adler = 0;
  std::size_t size = 0;  ///< of the scanlines
};

Strip compress_strip(const ConstTensorRef& pixels, std::int64_t begin, std::int64_t end) {
  const Scanlines scanlines = make_scanlines(pixels, begin, end, true);
  Strip strip{.data = deflate_part(scanlines.bytes, end == pixels.shape.h),
              .adler = adler32_of(scanlines.bytes, kAdler32OfNothing),
              .size = scanlines.bytes.size()};
  if (begin == 0) strip.data.insert(strip.data.begin(), std::begin(kZlibHeader), std::end(kZlibHeader));
  strip.crc = crc32_of(strip.data, crc32_of(bytes_of("IDAT")));
  return strip;
}

std::vector<Strip> compress_strips(Image image, int threads) {
  const ConstTensorRef pixels = image.all();
  const std::int64_t height = pixels.shape.h;
  const std::int64_t rows =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(kStripBytes / scanline_size(pixels)), 1, height);
  std::vector<Strip> strips(static_cast<std::size_t>((height + rows - 1) / rows));
  parallel_for(std::ssize(strips), threads, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      strips[static_cast<std::size_t>(i)] = compress_strip(pixels, i * rows, std::min(height, (i + 1) * rows));
  });

  std::uint32_t adler = kAdler32OfNothing;
  for (const Strip& strip : strips) adler = join_adler32(adler, strip.adler, strip.size);
  Strip& last = strips.back();
  Bytes checksum;
  put_u32(checksum, adler);
  last.data.insert(last.data.end(), checksum.begin(), checksum.end());
  last.crc = crc32_of(checksum, last.crc);
  return strips;
}

Scanlines make_all_scanlines(Image image, bool choose) {
  return make_scanlines(image.all(), 0, image.all().shape.h, choose);
}

}  // namespace

Bytes write_png(Image image, const EncodeOptions& options, const PictureMetadata& metadata) {
  constexpr std::uint8_t kSignature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  constexpr std::size_t kChunkFrame = 12;
  const auto signature = std::as_bytes(std::span(kSignature));
  const int level = options.png_level.value_or(kFastLevel);
  Bytes file(signature.begin(), signature.end());
  put_chunk(file, "IHDR", image_header(image.all()));
  put_metadata(file, metadata);
  if (is_in_strips(image.all(), level, options)) {
    std::vector<Strip> strips = compress_strips(std::move(image), options.threads);
    std::size_t size = file.size() + kChunkFrame;
    for (const Strip& strip : strips) size += kChunkFrame + strip.data.size();
    file.reserve(size);
    for (Strip& strip : strips) {
      put_chunk(file, "IDAT", strip.data, strip.crc);
      strip.data = {};
    }
  } else {
    const Bytes stream = deflate(make_all_scanlines(std::move(image), level > 0).bytes, level, options.png_strategy);
    file.reserve(file.size() + stream.size() + kChunkFrame * (2 + stream.size() / kLongestChunk));
    for (std::span<const std::byte> rest = stream; !rest.empty();) {
      const std::size_t length = std::min(rest.size(), kLongestChunk);
      put_chunk(file, "IDAT", rest.first(length));
      rest = rest.subspan(length);
    }
  }
  put_chunk(file, "IEND", {});
  return file;
}

}  // namespace convtool
