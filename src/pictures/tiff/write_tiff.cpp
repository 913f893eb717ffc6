#include "pictures/tiff/write_tiff.h"

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "pictures/compression.h"
#include "pictures/metadata/exif_block.h"
#include "pictures/tiff/libtiff_file.h"

namespace convtool {
namespace {

/// Bytes of a strip: as TIFF 6.0 recommends for RowsPerStrip, so that readers need little memory; more for Deflate,
/// which can then refer to enough of what came before.
constexpr std::int64_t kStripBytes = 8192, kDeflateStripBytes = std::int64_t{1} << 18;

void describe_pixels(TIFF* tiff, const ConstTensorRef& pixels, std::int64_t rows_per_strip,
                     TiffCompression compression) {
  constexpr int kCompressions[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE};
  const bool is_float = pixels.dtype == DType::f32, has_alpha = pixels.shape.c % 2 == 0;
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(pixels.shape.w));
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(pixels.shape.h));
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * size_of(pixels.dtype)));
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, static_cast<int>(pixels.shape.c));
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, pixels.shape.c > 2 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, static_cast<std::uint32_t>(rows_per_strip));
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, kCompressions[static_cast<int>(compression)]);
  if (!is_float && compression != TiffCompression::none) TIFFSetField(tiff, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
  std::uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
  if (has_alpha) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &alpha);
}

/// Sets the tags of all but EXIF, some of whose tags libtiff does not know.
void describe_picture(TIFF* tiff, const PictureMetadata& metadata) {
  const auto set_bytes = [tiff](std::uint32_t tag, const Bytes& bytes) {
    if (!bytes.empty()) TIFFSetField(tiff, tag, static_cast<std::uint32_t>(bytes.size()), bytes.data());
  };
  set_bytes(TIFFTAG_ICCPROFILE, metadata.profile);
  set_bytes(TIFFTAG_XMLPACKET, metadata.xmp);
  if (!metadata.resolution) return;
  constexpr int kUnits[] = {RESUNIT_NONE, RESUNIT_INCH, RESUNIT_CENTIMETER};
  TIFFSetField(tiff, TIFFTAG_XRESOLUTION, metadata.resolution->x);
  TIFFSetField(tiff, TIFFTAG_YRESOLUTION, metadata.resolution->y);
  TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, kUnits[static_cast<int>(metadata.resolution->unit)]);
}

template <class T, int channels>
void put_row(const TensorView<const T>& pixels, std::int64_t y, T* to) {
  const T* pixel = pixels.row(0, 0, y);
  for (std::int64_t x = 0; x < pixels.shape.w; ++x, pixel += pixels.strides.w)
    for (int c = 0; c < channels; ++c) *to++ = pixel[c * pixels.strides.c];
}

/// The samples of some rows in their order.
template <class T>
struct Samples {
  std::unique_ptr<T[]> memory;
  std::span<T> all;
};

/// Of rows `begin` to `end`.
template <class T>
Samples<T> pack_rows(const TensorView<const T>& pixels, std::int64_t begin, std::int64_t end) {
  const Shape& shape = pixels.shape;
  const auto size = static_cast<std::size_t>((end - begin) * shape.w * shape.c);
  Samples<T> samples{.memory = std::make_unique_for_overwrite<T[]>(size), .all = {}};
  samples.all = {samples.memory.get(), size};
  T* to = samples.memory.get();
  for (std::int64_t y = begin; y < end; ++y, to += shape.w * shape.c) {
    switch (shape.c) {
      case 1: put_row<T, 1>(pixels, y, to); break;
      case 2: put_row<T, 2>(pixels, y, to); break;
      case 3: put_row<T, 3>(pixels, y, to); break;
      default: put_row<T, 4>(pixels, y, to);
    }
  }
  return samples;
}

/// Replaces each sample by its difference from the one to its left, modulo 2^8 or 2^16 (TIFF 6.0, section 14).
template <class T>
void take_differences(std::span<T> samples, const Shape& shape) {
  const auto row = static_cast<std::size_t>(shape.w * shape.c), pixel = static_cast<std::size_t>(shape.c);
  for (std::size_t begin = 0; begin < samples.size(); begin += row)
    for (std::size_t i = row - 1; i >= pixel; --i)
      samples[begin + i] = static_cast<T>(samples[begin + i] - samples[begin + i - pixel]);
}

/// Writes the pixels in strips. Whether libtiff reports success.
template <class T>
bool write_strips(TIFF* tiff, const TensorView<const T>& pixels, std::int64_t rows_per_strip) {
  const std::int64_t height = pixels.shape.h;
  for (std::int64_t y = 0; y < height; y += rows_per_strip) {
    const Samples<T> samples = pack_rows(pixels, y, std::min(height, y + rows_per_strip));
    const auto size = static_cast<tmsize_t>(samples.all.size_bytes());
    if (TIFFWriteEncodedStrip(tiff, static_cast<std::uint32_t>(y / rows_per_strip), samples.all.data(), size) != size)
      return false;
  }
  return true;
}

/// The same, compressed on `threads` threads. Strips are compressed in groups, each large enough to keep all threads
/// busy.
template <class T>
bool write_deflated_strips(TIFF* tiff, const TensorView<const T>& pixels, std::int64_t rows_per_strip, int threads) {
  const std::int64_t height = pixels.shape.h, count = (height + rows_per_strip - 1) / rows_per_strip;
  const std::int64_t at_a_time = 16 * std::int64_t{threads == 0 ? available_cores() : threads};
  for (std::int64_t begin = 0; begin < count; begin += at_a_time) {
    std::vector<Bytes> strips(static_cast<std::size_t>(std::min(at_a_time, count - begin)));
    parallel_for(std::ssize(strips), threads, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t row = (begin + i) * rows_per_strip;
        const Samples<T> samples = pack_rows(pixels, row, std::min(height, row + rows_per_strip));
        if constexpr (!std::is_same_v<T, float>) take_differences(samples.all, pixels.shape);
        strips[static_cast<std::size_t>(i)] = deflate_fast(std::as_bytes(samples.all));
      }
    });
    for (std::size_t i = 0; i < strips.size(); ++i) {
      const auto number = static_cast<std::uint32_t>(static_cast<std::size_t>(begin) + i);
      const auto size = static_cast<tmsize_t>(strips[i].size());
      if (TIFFWriteRawStrip(tiff, number, strips[i].data(), size) != size) return false;
    }
  }
  return true;
}

}  // namespace

Bytes write_tiff(const ConstTensorRef& pixels, const EncodeOptions& options, const PictureMetadata& metadata) {
  constexpr double kLargestClassic = 0x80000000p0;  // half of what its 32-bit offsets reach: LZW lengthens noise
  const TiffCompression compression =
      options.tiff_compression.value_or(is_integer(pixels.dtype) ? TiffCompression::deflate : TiffCompression::none);
  const bool deflates = compression == TiffCompression::deflate;
  const std::int64_t row_bytes = pixels.shape.w * pixels.shape.c * size_of(pixels.dtype);
  const std::int64_t rows_per_strip =
      std::clamp<std::int64_t>((deflates ? kDeflateStripBytes : kStripBytes) / row_bytes, 1, pixels.shape.h);
  constexpr std::int64_t kTags = 4096, kStripTags = 16;                                   // offset and size of a strip
  const std::int64_t described = kTags + 2 * static_cast<std::int64_t>(metadata.size());  // EXIF may share values
  const std::int64_t expected =
      row_bytes * pixels.shape.h + described + kStripTags * (pixels.shape.h / rows_per_strip + 1);
  TiffOutput file(options.big_tiff || static_cast<double>(expected) > kLargestClassic,
                  static_cast<std::size_t>(expected));
  describe_pixels(file.get(), pixels, rows_per_strip, compression);
  describe_picture(file.get(), metadata);
  const bool done = visit_dtype(pixels.dtype, [&](auto zero) {
    const auto view = pixels.view<decltype(zero)>();
    return deflates ? write_deflated_strips<decltype(zero)>(file.get(), view, rows_per_strip, options.threads)
                    : write_strips<decltype(zero)>(file.get(), view, rows_per_strip);
  });
  Bytes bytes = file.finish();
  if (!done || bytes.empty())
    throw Error(ErrorKind::output, "",
                "the tiff encoder failed on a picture of " + std::to_string(pixels.shape.w) + "x" +
                    std::to_string(pixels.shape.h));
  if (!metadata.exif.empty()) add_exif_to_tiff(bytes, metadata.exif);
  return bytes;
}

}  // namespace convtool
