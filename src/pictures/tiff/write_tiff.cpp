#include "pictures/tiff/write_tiff.h"

#include <algorithm>
#include <vector>

#include "pictures/tiff/libtiff_file.h"

namespace convtool {
namespace {

// As TIFF 6.0 recommends for RowsPerStrip, so that readers need little memory.
constexpr std::int64_t kStripBytes = 8192;

void describe_pixels(TIFF* tiff, const ConstTensorRef& pixels, std::int64_t rows_per_strip) {
  const bool is_float = pixels.dtype == DType::f32, has_alpha = pixels.shape.c % 2 == 0;
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(pixels.shape.w));
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(pixels.shape.h));
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * size_of(pixels.dtype)));
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, static_cast<int>(pixels.shape.c));
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, pixels.shape.c > 2 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, static_cast<std::uint32_t>(rows_per_strip));
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, is_float ? COMPRESSION_NONE : COMPRESSION_LZW);
  if (!is_float) TIFFSetField(tiff, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
  std::uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
  if (has_alpha) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &alpha);
}

/// Writes the pixels in strips. Whether libtiff reports success.
template <class T>
bool write_strips(TIFF* tiff, const TensorView<const T>& pixels, std::int64_t rows_per_strip) {
  const Shape& shape = pixels.shape;
  std::vector<T> strip(static_cast<std::size_t>(rows_per_strip * shape.w * shape.c));
  for (std::int64_t y = 0; y < shape.h; y += rows_per_strip) {
    T* to = strip.data();
    for (std::int64_t row = y; row < std::min(shape.h, y + rows_per_strip); ++row) {
      const T* pixel = pixels.row(0, 0, row);
      for (std::int64_t x = 0; x < shape.w; ++x, pixel += pixels.strides.w)
        for (std::int64_t c = 0; c < shape.c; ++c) *to++ = pixel[c * pixels.strides.c];
    }
    const auto size = static_cast<tmsize_t>(to - strip.data()) * static_cast<tmsize_t>(sizeof(T));
    if (TIFFWriteEncodedStrip(tiff, static_cast<std::uint32_t>(y / rows_per_strip), strip.data(), size) != size)
      return false;
  }
  return true;
}

}  // namespace

Bytes write_tiff(const ConstTensorRef& pixels) {
  constexpr double kLargestClassic = 0x80000000p0;  // half of what its 32-bit offsets reach: LZW lengthens noise
  const std::int64_t row_bytes = pixels.shape.w * pixels.shape.c * size_of(pixels.dtype);
  const std::int64_t rows_per_strip = std::clamp<std::int64_t>(kStripBytes / row_bytes, 1, pixels.shape.h);
  TiffOutput file(static_cast<double>(row_bytes) * static_cast<double>(pixels.shape.h) > kLargestClassic);
  describe_pixels(file.get(), pixels, rows_per_strip);
  const bool done = visit_dtype(pixels.dtype, [&](auto zero) {
    return write_strips<decltype(zero)>(file.get(), pixels.view<decltype(zero)>(), rows_per_strip);
  });
  Bytes bytes = file.finish();
  if (!done || bytes.empty())
    throw Error(ErrorKind::output, "",
                "the tiff encoder failed on a picture of " + std::to_string(pixels.shape.w) + "x" +
                    std::to_string(pixels.shape.h));
  return bytes;
}

}  // namespace convtool
