// JPEG files, which are those that OpenCV writes.
#include <doctest/doctest.h>

#include <cstring>
#include <opencv2/imgcodecs.hpp>

#include "pictures/jpeg/write_jpeg.h"
#include "support/byte_difference.h"
#include "support/random.h"

namespace convtool {

using testing::byte_difference;

namespace {

/// Noise around a gradient, so that every quality quantises some coefficients to 0 and others not.
cv::Mat picture(int height, int width, int channels, Random& random) {
  cv::Mat pixels(height, width, CV_8UC(channels));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width * channels; ++x)
      pixels.ptr(y)[x] = static_cast<std::uint8_t>(2 * y + x + random.between(0, 31));
  return pixels;
}

/// The file of B, G, R or grey `pixels`.
Bytes write_jpeg(const cv::Mat& pixels, int quality, int threads) {
  const bool is_grey = pixels.channels() == 1;
  const auto encoder = jpeg_strip_encoder(
      {.format = is_grey ? PixelFormat::grey : PixelFormat::rgb, .height = pixels.rows, .width = pixels.cols},
      {.quality = quality}, {});
  const Shape shape{.n = 1, .c = pixels.channels(), .h = pixels.rows, .w = pixels.cols};
  const Strides strides{.n = 0, .c = -1, .h = static_cast<std::int64_t>(pixels.step), .w = shape.c};
  encode_strips(*encoder, TensorRef{pixels.data + shape.c - 1, DType::u8, shape, strides}, threads);
  return encoder->finish();
}

}  // namespace

TEST_CASE("JPEG files are byte for byte those of OpenCV") {
  Random random(1);
  int files = 0;
  for (const int channels : {1, 3})
    for (const std::pair<int, int>& size :
         {std::pair{1, 1}, {1, 40}, {37, 1}, {16, 16}, {33, 57}, {200, 131}, {500, 600}})
      for (const int quality : {1, 30, 75, 95, 100}) {
        const int height = size.first, width = size.second;  // clang 14 captures no bindings
        CAPTURE(height);
        CAPTURE(width);
        CAPTURE(quality);
        const cv::Mat pixels = picture(height, width, channels, random);
        std::vector<std::uint8_t> expected;
        REQUIRE(cv::imencode(".jpg", pixels, expected, {cv::IMWRITE_JPEG_QUALITY, quality}));
        const Bytes file = write_jpeg(pixels, quality, 2);
        REQUIRE(file.size() == expected.size());
        CHECK(std::memcmp(file.data(), expected.data(), file.size()) == 0);
        ++files;
      }
  CHECK(files == 70);
}

TEST_CASE("large JPEG files have the pixels of OpenCV's, and the same bytes for any number of threads") {
  Random random(2);
  for (const int channels : {1, 3})
    for (const std::pair<int, int>& size : {std::pair{2100, 1001},
                                            {1600, 4001},
                                            {17, 65500},
                                            {65500, 33},
                                            {7, 65500},
                                            {2048, 1024},
                                            {16 * 9 + 1, 44000}}) {
      const int height = size.first, width = size.second;
      CAPTURE(channels);
      CAPTURE(height);
      CAPTURE(width);
      const cv::Mat pixels = picture(height, width, channels, random);
      const Bytes file = write_jpeg(pixels, 90, 1);
      for (const int threads : {2, 3, 16}) {
        CAPTURE(threads);
        CHECK(byte_difference(write_jpeg(pixels, 90, threads), file) == "");
      }
      std::vector<std::uint8_t> whole;
      REQUIRE(cv::imencode(".jpg", pixels, whole, {cv::IMWRITE_JPEG_QUALITY, 90}));
      const cv::Mat bytes(1, static_cast<int>(file.size()), CV_8U, const_cast<std::byte*>(file.data()));
      const cv::Mat got = cv::imdecode(bytes, cv::IMREAD_UNCHANGED),
                    expected = cv::imdecode(whole, cv::IMREAD_UNCHANGED);
      REQUIRE(got.size() == pixels.size());
      REQUIRE(got.type() == pixels.type());
      CHECK(std::memcmp(got.data, expected.data, got.total() * got.elemSize()) == 0);
    }
}

TEST_CASE("a picture that libjpeg cannot write is an error") {
  CHECK_THROWS_WITH_AS(write_jpeg(cv::Mat(1, 65501, CV_8UC1, cv::Scalar(0)), 95, 1),
                       "libjpeg cannot write this picture", Error);
}

}  // namespace convtool
