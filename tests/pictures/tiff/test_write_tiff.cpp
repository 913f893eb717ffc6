// The tags of written TIFF, as another reader sees them. That pixels come back is tested in test_encode_image.cpp.
#include <doctest/doctest.h>

#include <cstdint>
#include <optional>

#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/pixel_values.h"
#include "pictures/tiff/libtiff_file.h"
#include "support/byte_difference.h"
#include "support/random.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

template <class T>
std::optional<T> tag(const TiffInput& file, std::uint32_t number) {
  T value = 0;
  if (TIFFGetField(file.get(), number, &value) != 1) return std::nullopt;
  return value;
}

}  // namespace

TEST_CASE("written TIFF says what its samples are") {
  for (const DType dtype : {DType::u8, DType::u16, DType::f32})
    for (const PixelFormat pixels : {PixelFormat::grey, PixelFormat::grey_alpha, PixelFormat::rgb, PixelFormat::rgba}) {
      CAPTURE(static_cast<int>(dtype));
      CAPTURE(static_cast<int>(pixels));
      const Image image(dtype, pixels, 30, 1000);
      visit_dtype(dtype, [&](auto zero) {
        using T = decltype(zero);
        const auto view = image.all().view<T>();
        for (std::int64_t i = 0; i < 30 * 1000; ++i)
          for (std::int64_t c = 0; c < view.shape.c; ++c) view.at(0, c, i / 1000, i % 1000) = static_cast<T>(i % 200);
      });
      const Bytes bytes = encode_image(image, *find_picture_format("tiff"));
      const TiffInput file(bytes, 1 << 20);
      const bool is_float = dtype == DType::f32, grey = channel_count(pixels) < 3;
      CHECK(tag<std::uint32_t>(file, TIFFTAG_IMAGEWIDTH) == 1000u);
      CHECK(tag<std::uint32_t>(file, TIFFTAG_IMAGELENGTH) == 30u);
      CHECK(tag<std::uint16_t>(file, TIFFTAG_SAMPLESPERPIXEL) == channel_count(pixels));
      CHECK(tag<std::uint16_t>(file, TIFFTAG_BITSPERSAMPLE) == 8 * size_of(dtype));
      CHECK(tag<std::uint16_t>(file, TIFFTAG_SAMPLEFORMAT) == (is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT));
      CHECK(tag<std::uint16_t>(file, TIFFTAG_PHOTOMETRIC) == (grey ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB));
      CHECK(tag<std::uint16_t>(file, TIFFTAG_COMPRESSION) == (is_float ? COMPRESSION_NONE : COMPRESSION_ADOBE_DEFLATE));
      if (!is_float) CHECK(tag<std::uint16_t>(file, TIFFTAG_PREDICTOR) == PREDICTOR_HORIZONTAL);
      // Strips of about 8 KiB, as TIFF 6.0 recommends; 256 KiB for Deflate.
      const std::int64_t strip = is_float ? 8192 : 1 << 18;
      const std::int64_t rows = std::max<std::int64_t>(1, strip / (1000 * channel_count(pixels) * size_of(dtype)));
      CHECK(tag<std::uint32_t>(file, TIFFTAG_ROWSPERSTRIP) == std::min<std::int64_t>(rows, 30));

      std::uint16_t count = 0, *kinds = nullptr;
      TIFFGetField(file.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds);
      REQUIRE(count == (has_alpha(pixels) ? 1 : 0));
      if (count == 1) CHECK(kinds[0] == EXTRASAMPLE_UNASSALPHA);
    }
}

TEST_CASE("TIFF of every compression comes back, and has the same bytes for any number of threads") {
  for (const DType dtype : {DType::u8, DType::u16, DType::f32})
    for (const PixelFormat pixels : {PixelFormat::grey, PixelFormat::grey_alpha, PixelFormat::rgb, PixelFormat::rgba})
      for (std::size_t which = 0; which < std::size(kTiffCompressions); ++which) {
        CAPTURE(static_cast<int>(dtype));
        CAPTURE(static_cast<int>(pixels));
        CAPTURE(kTiffCompressions[which]);
        const Image image(dtype, pixels, 700, 413);  // several strips
        Random random(11);
        visit_dtype(dtype, [&](auto zero) {
          using T = decltype(zero);
          const auto view = image.all().view<T>();
          for (std::int64_t y = 0; y < 700; ++y)
            for (std::int64_t x = 0; x < 413; ++x)
              for (std::int64_t c = 0; c < view.shape.c; ++c)
                view.at(0, c, y, x) = static_cast<T>(y + x * 5 + c * 50 + random.between(0, 9));
        });
        EncodeOptions options{.tiff_compression = static_cast<TiffCompression>(which)};
        const Bytes bytes = encode_image(image, *find_picture_format("tiff"), options);
        constexpr std::uint16_t kNumbers[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE};
        CHECK(tag<std::uint16_t>(TiffInput(bytes, 1 << 20), TIFFTAG_COMPRESSION) == kNumbers[which]);
        const Image back = decode_image(bytes, 1 << 20);
        CHECK(back.dtype() == dtype);
        CHECK(back.format() == pixels);
        CHECK((values(back.all()) == values(image.all())));
        for (const int threads : {2, 3, 16}) {
          CAPTURE(threads);
          options.threads = threads;
          const Bytes file = encode_image(image, *find_picture_format("tiff"), options);
          CHECK(byte_difference(file, bytes) == "");
          if (file != bytes) CHECK((values(decode_image(file, 1 << 20).all()) == values(image.all())));
        }
      }
}
