// Files that are made of strips against those that encode_image() makes.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "pictures/encode_image.h"
#include "pictures/image.h"
#include "pictures/strip_encoder.h"
#include "support/byte_difference.h"
#include "support/random.h"

using namespace convtool;
using convtool::testing::byte_difference;

namespace {

Image striped_image(DType dtype, PixelFormat format, std::int64_t height, std::int64_t width, Random& random) {
  const Image image(dtype, format, height, width);
  visit_dtype(dtype, [&]<class T>(T) {
    const auto pixels = image.all().view<T>();
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x)
        for (std::int64_t c = 0; c < pixels.shape.c; ++c)
          pixels.at(0, c, y, x) = static_cast<T>(x + 3 * y + random.between(0, 40));
  });
  return image;
}

struct StripKind {
  const char* format;
  DType dtype;
  PixelFormat pixels;
};

constexpr StripKind kStripKinds[] = {
    {"png", DType::u8, PixelFormat::grey},        {"png", DType::u8, PixelFormat::rgb},
    {"png", DType::u16, PixelFormat::rgb},        {"png", DType::u8, PixelFormat::rgba},
    {"png", DType::u16, PixelFormat::grey_alpha}, {"jpeg", DType::u8, PixelFormat::grey},
    {"jpeg", DType::u8, PixelFormat::rgb},
};

}  // namespace

TEST_CASE("rows in any order and number, on any number of threads, make the file of the whole picture") {
  Random random(3);
  for (const StripKind& kind : kStripKinds)
    for (const auto& size : {std::pair{700, 1500}, {40, 60000}, {3000, 90}, {2400, 1301}}) {
      const int height = size.first, width = size.second;
      CAPTURE(kind.format);
      CAPTURE(static_cast<int>(kind.pixels));
      CAPTURE(height);
      const Image image = striped_image(kind.dtype, kind.pixels, height, width, random);
      const PictureFormat& format = *find_picture_format(kind.format);
      const Bytes expected = encode_image(image, format, {.threads = 1});
      const PictureShape shape{.dtype = kind.dtype, .format = kind.pixels, .height = height, .width = width};
      for (const int threads : {1, 2, 3, 16}) {
        CAPTURE(threads);
        std::vector<std::pair<std::int64_t, std::int64_t>> parts;  // first row, number of rows
        const std::int64_t most = random.pick(std::vector<std::int64_t>{1, 7, 100, 100000});
        for (std::int64_t y = 0; y < height;) {
          const std::int64_t count = std::min<std::int64_t>(random.between(1, most), height - y);
          parts.emplace_back(y, count);
          y += count;
        }
        std::shuffle(parts.begin(), parts.end(), std::mt19937(random.seed()));
        const auto encoder = make_strip_encoder(format, shape, {}, {});
        REQUIRE(encoder != nullptr);
        StripCollector strips(*encoder);
        parallel_for(std::ssize(parts), threads, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) {
            const auto& [first, count] = parts[static_cast<std::size_t>(i)];
            strips.add(first, image.all().rows(first, count));
          }
        });
        CHECK(byte_difference(encoder->finish(), expected) == "");
      }
    }
}

TEST_CASE("files that are not made of strips, and pictures that a format cannot store") {
  const auto encoder = [](const char* format, const PictureShape& shape, const EncodeOptions& options = {}) {
    return make_strip_encoder(*find_picture_format(format), shape, options, {});
  };
  const PictureShape large{.height = 500, .width = 500};
  CHECK(encoder("png", large) != nullptr);
  CHECK(encoder("png", large, {.png_level = 2}) == nullptr);
  CHECK(encoder("png", large, {.png_strategy = PngStrategy::rle}) == nullptr);
  CHECK(encoder("png", {.height = 20, .width = 20}) == nullptr);
  CHECK(encoder("jpeg", {.height = 20, .width = 20}) != nullptr);
  CHECK(encoder("tiff", large) == nullptr);
  CHECK(encoder("bmp", large) == nullptr);
  CHECK_THROWS_AS(encoder("jpeg", {.height = 70000, .width = 2}), Error);
}
