// Encoding and decoding: values, depth, channel order and alpha survive, or the format refuses the picture.
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <random>

#include "core/error.h"
#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/pixel_values.h"
#include "pictures/sample_pictures.h"
#include "support/error_text.h"
#include "tensors/file_format.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

constexpr std::int64_t kManyPixels = 1 << 20;

Image decode(std::span<const std::byte> file) { return decode_image(file, kManyPixels); }

template <class T>
void fill_randomly(const TensorView<T>& view, std::mt19937& random) {
  for (std::int64_t y = 0; y < view.shape.h; ++y)
    for (std::int64_t x = 0; x < view.shape.w; ++x)
      for (std::int64_t c = 0; c < view.shape.c; ++c)
        view.at(0, c, y, x) = std::is_same_v<T, float> ? static_cast<T>(static_cast<double>(random()) / 1e6 - 2e3)
                                                       : static_cast<T>(random());
}

/// Random values, with one transparent row and, among floats, the values that are hard to keep.
Image random_image(DType dtype, PixelFormat format, std::int64_t height, std::int64_t width) {
  std::mt19937 random(11);
  const Image image(dtype, format, height, width);
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    fill_randomly(image.all().view<T>(), random);
    if (image.alpha())
      for (std::int64_t x = 0; x < width; ++x) image.alpha()->template view<T>().at(0, 0, 0, x) = 0;
    if constexpr (std::is_same_v<T, float>) {
      using Limits = std::numeric_limits<float>;
      const float special[] = {Limits::quiet_NaN(),  Limits::infinity(), -Limits::infinity(), -0.0f,
                               Limits::denorm_min(), Limits::max(),      Limits::lowest()};
      for (std::int64_t i = 0; i < 7; ++i) image.colour().view<float>().at(0, 0, 1, i) = special[i];
    }
  });
  return image;
}

/// Whether channel `a` of one picture equals channel `b` of another in every bit.
bool same_bits(const Image& one, std::int64_t a, const Image& other, std::int64_t b) {
  return visit_dtype(one.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto left = one.all().view<T>(), right = other.all().view<T>();
    for (std::int64_t y = 0; y < left.shape.h; ++y)
      for (std::int64_t x = 0; x < left.shape.w; ++x)
        if (std::memcmp(&left.at(0, a, y, x), &right.at(0, b, y, x), sizeof(T)) != 0) return false;
    return true;
  });
}

const PictureFormat& format_named(const char* name) {
  const PictureFormat* const format = find_picture_format(name);
  REQUIRE(format != nullptr);
  return *format;
}

}  // namespace

TEST_CASE("pictures that a format stores come back bit for bit, all others are refused") {
  int held = 0;
  for (const PictureFormat& format : picture_formats())
    for (const DType dtype : {DType::u8, DType::u16, DType::f32})
      for (const PixelFormat pixels : {PixelFormat::grey, PixelFormat::grey_alpha, PixelFormat::rgb, PixelFormat::rgba})
        for (const Shape& size : {Shape{.h = 13, .w = 17}, Shape{.h = 2, .w = 7}, Shape{.h = 64, .w = 33}}) {
          const std::int64_t height = size.h, width = size.w;
          CAPTURE(format.name);
          CAPTURE(static_cast<int>(dtype));
          CAPTURE(static_cast<int>(pixels));
          CAPTURE(height);
          const Image image = random_image(dtype, pixels, height, width);
          if (!holds(format, dtype, pixels)) {
            try {
              encode_image(image, format);
              FAIL("written though the format does not hold it");
            } catch (const Error& error) {
              CHECK(error.kind() == ErrorKind::output);
            }
            continue;
          }
          ++held;
          const Image original = random_image(dtype, pixels, height, width);
          const Bytes file = encode_image(image, format);
          for (std::int64_t c = 0; c < channel_count(pixels); ++c)
            CHECK(same_bits(image, c, original, c));  // not modified
          REQUIRE(sniff_picture_format(file) != nullptr);
          CHECK(sniff_picture_format(file)->name ==
                (format.name == "pgm" || format.name == "ppm" ? "pnm" : format.name));

          const Image back = decode(file);
          CHECK(back.dtype() == dtype);
          CHECK(back.all().shape.h == height);
          CHECK(back.all().shape.w == width);
          const bool grey = pixels == PixelFormat::grey || pixels == PixelFormat::grey_alpha;
          const bool as_colour =
              (pixels == PixelFormat::grey_alpha && format.name == "exr") || (grey && format.name == "webp");
          const PixelFormat expected = !as_colour ? pixels : has_alpha(pixels) ? PixelFormat::rgba : PixelFormat::rgb;
          REQUIRE(back.format() == expected);
          if (format.name == "jpeg") continue;
          for (std::int64_t c = 0; c < channel_count(expected); ++c) {
            const bool is_alpha = has_alpha(expected) && c + 1 == channel_count(expected);
            const std::int64_t from = is_alpha ? channel_count(pixels) - 1 : grey ? 0 : c;
            CHECK(same_bits(back, c, image, from));
          }
        }
  // png 2*4, jpeg 2, tiff 3*4, bmp 2, webp 4, pnm 2*2, pgm 2, ppm 2, pfm 2, exr 4; three sizes each.
  CHECK(held == 3 * (8 + 2 + 12 + 2 + 4 + 4 + 2 + 2 + 2 + 4));
}

TEST_CASE("JPEG is close at quality 95") {
  const Image image(DType::u8, PixelFormat::rgb, 16, 16);
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t i = 0; i < 256; ++i)
      image.all().view<std::uint8_t>().at(0, c, i / 16, i % 16) = static_cast<std::uint8_t>(60 + 50 * c);
  const std::vector<double> back = values(decode(encode_image(image, format_named("jpg"))).all());
  // In a flat picture only the mean of each block is rounded. Its quantiser step is at most 2 at quality 95 (T.81,
  // tables K.1 and K.2 scaled by 10 %), an eighth of that per value; with the colour conversion, the error is at
  // most 2.
  for (std::size_t i = 0; i < back.size(); ++i)
    CHECK(std::abs(back[i] - (60.0 + 50.0 * static_cast<double>(i % 3))) <= 2);
}

TEST_CASE("other readers find red, green and blue in their places") {
  const Image image(DType::u8, PixelFormat::rgb, 1, 2);
  const auto view = image.all().view<std::uint8_t>();
  for (std::int64_t i = 0; i < 6; ++i) view.at(0, i % 3, 0, i / 3) = static_cast<std::uint8_t>(10 * (i + 1));

  const Bytes ppm = encode_image(image, format_named("ppm"));
  const Bytes expected = ByteWriter().u8(10).u8(20).u8(30).u8(40).u8(50).u8(60).bytes();
  CHECK(std::equal(expected.begin(), expected.end(), ppm.end() - 6));
  CHECK(static_cast<char>(ppm[1]) == '6');

  for (const char* const name : {"png", "tiff", "bmp", "webp"}) {
    CAPTURE(name);
    const Bytes file = encode_image(image, format_named(name));
    const cv::Mat mat = cv::imdecode(
        cv::Mat(1, static_cast<int>(file.size()), CV_8U, const_cast<std::byte*>(file.data())), cv::IMREAD_UNCHANGED);
    REQUIRE(mat.type() == CV_8UC3);
    CHECK(mat.at<cv::Vec3b>(0, 0) == cv::Vec3b(30, 20, 10));
    CHECK(mat.at<cv::Vec3b>(0, 1) == cv::Vec3b(60, 50, 40));
  }

  const Image clear(DType::u16, PixelFormat::rgba, 1, 1);
  for (std::int64_t c = 0; c < 4; ++c)
    clear.all().view<std::uint16_t>().at(0, c, 0, 0) = static_cast<std::uint16_t>(300 * (c + 1));
  for (const char* const name : {"png", "tiff"}) {
    CAPTURE(name);
    const Bytes file = encode_image(clear, format_named(name));
    const cv::Mat mat = cv::imdecode(
        cv::Mat(1, static_cast<int>(file.size()), CV_8U, const_cast<std::byte*>(file.data())), cv::IMREAD_UNCHANGED);
    REQUIRE(mat.type() == CV_16UC4);
    CHECK(mat.at<cv::Vec4w>(0, 0) == cv::Vec4w(900, 600, 300, 1200));
  }
}

TEST_CASE("views: colour, alpha and strides") {
  const Image rgb = decode(to_bytes("P3 2 1 255 1 2 3 4 5 6\n"));
  CHECK(values(rgb.all()) == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(rgb.all().strides == Strides{0, -1, 6, 3});  // OpenCV's blue, green, red in reverse
  CHECK_FALSE(rgb.alpha().has_value());

  const Image rgba = decode(opencv_file(".png", cv::Mat(1, 1, CV_8UC4, cv::Scalar(30, 20, 10, 40))));
  CHECK(values(rgba.all()) == std::vector<double>{10, 20, 30, 40});
  CHECK(values(rgba.colour()) == std::vector<double>{10, 20, 30});
  REQUIRE(rgba.alpha().has_value());
  CHECK(values(*rgba.alpha()) == std::vector<double>{40});
  CHECK(rgba.all().strides.c == 1);

  const Image copy = rgb;
  CHECK(copy.all().data == rgb.all().data);
}

TEST_CASE("luma is OpenCV's, and alpha is unchanged") {
  for (const DType dtype : {DType::u8, DType::u16, DType::f32}) {
    CAPTURE(static_cast<int>(dtype));
    for (const PixelFormat format : {PixelFormat::rgb, PixelFormat::rgba}) {
      const Image image = random_image(dtype, format, 5, 9);
      const Image luma = image.to_luma();
      REQUIRE(luma.format() == (format == PixelFormat::rgb ? PixelFormat::grey : PixelFormat::grey_alpha));
      CHECK(luma.dtype() == dtype);
      if (format == PixelFormat::rgba) CHECK(same_bits(luma, 1, image, 3));
      const std::vector<double> rgb = values(image.colour()), grey = values(luma.colour());
      for (std::size_t i = 0; i < grey.size(); ++i) {
        const double exact = 0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2];
        if (!std::isfinite(exact) || std::abs(exact) > 1e30) continue;  // the special values of random_image()
        // Integers: the weights have at least 14 bits, so each errs by up to 2^-15, together by 3 * 2^-15 * 65535 < 6;
        // and rounding. Floats: 3 products and 2 sums of values up to 2300 err by 2^-24 each, as do the weights: <
        // 1e-3.
        CHECK(std::abs(grey[i] - exact) <= (dtype == DType::f32 ? 1e-3 : dtype == DType::u16 ? 6.5 : 0.53));
      }
    }
  }
  const Image grey = random_image(DType::u8, PixelFormat::grey_alpha, 2, 7);
  CHECK(grey.to_luma().all().data == grey.all().data);
}

TEST_CASE("formats are found by name and extension, in any case") {
  const auto name_of = [](std::string_view word) -> std::string_view {
    const std::optional<FileFormat> format = find_file_format(word);
    return format ? format->name() : "none";
  };
  CHECK(name_of("png") == "png");
  CHECK(name_of(".PNG") == "png");
  CHECK(name_of("jpg") == "jpeg");
  CHECK(name_of(".TIFF") == "tiff");
  CHECK(name_of("Tif") == "tiff");
  CHECK(name_of(".NPY") == "npy");
  CHECK(name_of("Json") == "json");
  for (const char* const unknown : {"", ".", "..png", "gif"}) CHECK(name_of(unknown) == "none");
  CHECK(find_picture_format("npy") == nullptr);
  for (const std::string_view word : file_format_words()) CHECK(name_of(word) != "none");
  for (const char* const word : {"png", "jpeg", "jpg", "tif", "tiff", "pgm", "exr", "npy", "json"}) {
    const std::vector<std::string_view> words = file_format_words();
    CHECK(std::count(words.begin(), words.end(), word) >= 1);
  }
  CHECK(sniff_picture_format(to_bytes("P4 1 1 x"))->name == "pnm");
  CHECK(sniff_picture_format(to_bytes("hello")) == nullptr);
}

TEST_CASE("pictures that cannot be encoded") {
  const auto complaint = [](const Image& image, const char* format) {
    return error_text(ErrorKind::output, [&] { encode_image(image, format_named(format)); });
  };
  CHECK(complaint(Image(DType::f32, PixelFormat::rgb, 1, 1), "png") ==
        "png cannot store RGB in f32 without loss; choose another format or --depth");
  CHECK(complaint(Image(DType::u8, PixelFormat::rgba, 1, 1), "jpg") ==
        "jpeg cannot store RGB and alpha in u8 without loss; choose another format or --depth");
  CHECK(complaint(Image(DType::u8, PixelFormat::grey, 0, 4), "png") ==
        "a picture without pixels (4x0) cannot be written");
  CHECK(complaint(Image(DType::u8, PixelFormat::grey, 1, 65501), "jpg") ==
        "jpeg cannot store 65501x1: a side has at most 65500 pixels; choose another format");
  CHECK(complaint(Image(DType::u8, PixelFormat::grey, 1, 65500), "jpg") == "none");
  CHECK(complaint(Image(DType::u8, PixelFormat::rgb, 16384, 1), "webp") ==
        "webp cannot store 1x16384: a side has at most 16383 pixels; choose another format");
  CHECK(complaint(Image(DType::u8, PixelFormat::rgb, 16383, 1), "webp") == "none");
}

TEST_CASE("PFM byte by byte: rows from the bottom, little-endian") {
  const Image image(DType::f32, PixelFormat::rgb, 2, 1);
  const float values[] = {1, -2, 0.5, 0, 256, -0.0f};
  for (std::int64_t i = 0; i < 6; ++i) image.all().view<float>().at(0, i % 3, i / 3, 0) = values[i];
  ByteWriter expected;
  expected.text("PF\n1 2\n-1.0\n").u32(0).u32(0x43800000).u32(0x80000000);  // IEEE 754
  expected.u32(0x3f800000).u32(0xc0000000).u32(0x3f000000);
  CHECK((encode_image(image, format_named("pfm")) == expected.bytes()));
}

TEST_CASE("PFM and OpenEXR are encoded without a temporary file") {
  // The folder in which OpenCV creates temporary files.
  REQUIRE(setenv("OPENCV_TEMP_PATH", "/nonexistent", 1) == 0);
  for (const char* const name : {"pfm", "exr"}) {
    CAPTURE(name);
    const Image image = random_image(DType::f32, PixelFormat::rgb, 5, 9);
    const Image back = decode(encode_image(image, format_named(name)));
    for (std::int64_t c = 0; c < 3; ++c) CHECK(same_bits(back, c, image, c));
  }
  unsetenv("OPENCV_TEMP_PATH");
}

TEST_CASE("a file of 2 GiB is refused, not truncated") {
  const std::size_t size = std::size_t{1} << 31;
  const int file = memfd_create("large", 0);
  REQUIRE(ftruncate(file, static_cast<off_t>(size)) == 0);  // sparse, so it takes no memory
  const std::string header = "P5 2 1 255\n";
  REQUIRE(write(file, header.data(), header.size()) == static_cast<ssize_t>(header.size()));
  void* const bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  REQUIRE(bytes != MAP_FAILED);
  const std::span all(static_cast<const std::byte*>(bytes), size);
  CHECK_THROWS_WITH_AS(decode(all), "a picture file of more than 2 GiB cannot be read; store it compressed", Error);
  munmap(bytes, size);
  close(file);
}
