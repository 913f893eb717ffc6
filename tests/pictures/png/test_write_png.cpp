// PNG files, checked with an independent reader that relies on zlib only.

#include <doctest/doctest.h>
#include <zlib.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "pictures/compression.h"
#include "pictures/encode_image.h"
#include "support/byte_difference.h"
#include "support/random.h"

using namespace convtool;
using convtool::testing::byte_difference;

namespace {

struct Png {
  std::uint32_t width = 0, height = 0;
  int depth = 0, colour_type = 0;
  int strips = 0;                     ///< IDAT chunks
  std::vector<int> filters;           ///< of each line
  std::vector<std::uint8_t> samples;  ///< unfiltered, big-endian
};

std::uint32_t u32_at(const Bytes& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes.at(at + i));
  return value;
}

/// Undoes the filters of section 9.2.
void unfilter(const std::vector<std::uint8_t>& lines, std::size_t line_size, std::size_t pixel, Png& png) {
  for (std::size_t y = 0; y < png.height; ++y) {
    const std::uint8_t* const line = &lines.at(y * (line_size + 1));
    png.filters.push_back(line[0]);
    for (std::size_t i = 0; i < line_size; ++i) {
      const std::size_t at = png.samples.size();
      const int a = i < pixel ? 0 : png.samples[at - pixel], b = y == 0 ? 0 : png.samples[at - line_size];
      const int c = i < pixel || y == 0 ? 0 : png.samples[at - line_size - pixel];
      const int p = a + b - c, pa = std::abs(p - a), pb = std::abs(p - b), pc = std::abs(p - c);
      const int paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      const std::array<int, 5> predicted = {0, a, b, (a + b) / 2, paeth};
      png.samples.push_back(static_cast<std::uint8_t>(line[i + 1] + predicted.at(line[0])));
    }
  }
}

Png read_png(const Bytes& file) {
  Png png;
  Bytes stream;
  std::string types;
  CHECK(u32_at(file, 0) == 0x89504e47);
  CHECK(u32_at(file, 4) == 0x0d0a1a0a);
  for (std::size_t at = 8; at < file.size();) {
    const std::size_t size = u32_at(file, at), data = at + 8;
    const auto* const checked = reinterpret_cast<const Bytef*>(file.data() + at + 4);
    CHECK(u32_at(file, data + size) == ::crc32(0, checked, static_cast<uInt>(size + 4)));
    const std::string type(reinterpret_cast<const char*>(checked), 4);
    types += type + " ";
    if (type == "IHDR") {
      REQUIRE(size == 13);
      png.width = u32_at(file, data);
      png.height = u32_at(file, data + 4);
      png.depth = std::to_integer<int>(file[data + 8]);
      png.colour_type = std::to_integer<int>(file[data + 9]);
      for (std::size_t i = 10; i < 13; ++i) CHECK(file[data + i] == std::byte{0});
    }
    if (type == "IDAT") {
      ++png.strips;
      stream.insert(stream.end(), file.begin() + static_cast<std::ptrdiff_t>(data),
                    file.begin() + static_cast<std::ptrdiff_t>(data + size));
    }
    at = data + size + 4;
  }
  std::string expected = "IHDR ";
  for (int i = 0; i < std::max(1, png.strips); ++i) expected += "IDAT ";
  CHECK(types == expected + "IEND ");
  const std::size_t channels =
      std::array<std::size_t, 7>{1, 0, 3, 0, 2, 0, 4}.at(static_cast<std::size_t>(png.colour_type));
  const std::size_t pixel = channels * static_cast<std::size_t>(png.depth) / 8, line_size = pixel * png.width;
  std::vector<std::uint8_t> lines((line_size + 1) * png.height + 1);
  uLongf got = lines.size();
  REQUIRE(uncompress(lines.data(), &got, reinterpret_cast<const Bytef*>(stream.data()), stream.size()) == Z_OK);
  REQUIRE(got == lines.size() - 1);
  unfilter(lines, line_size, pixel, png);
  return png;
}

template <class T>
std::vector<std::uint8_t> samples_of(const Image& image) {
  std::vector<std::uint8_t> bytes;
  const TensorView<T> view = image.all().view<T>();
  for (std::int64_t y = 0; y < view.shape.h; ++y)
    for (std::int64_t x = 0; x < view.shape.w; ++x)
      for (std::int64_t c = 0; c < view.shape.c; ++c)
        for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
          bytes.push_back(static_cast<std::uint8_t>(view.at(0, c, y, x) >> shift));
  return bytes;
}

/// Lines for which different filters are best: flat, noisy, gradients, repetitions of the line above.
template <class T>
Image various_lines(PixelFormat format, std::int64_t width) {
  const Image image(dtype_of<T>(), format, 40, width);
  const TensorView<T> view = image.all().view<T>();
  Random random(7);
  for (std::int64_t y = 0; y < 40; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      for (std::int64_t c = 0; c < view.shape.c; ++c) {
        const std::int64_t noise = random.between(0, 255);
        const std::int64_t above = y == 0 ? 0 : view.at(0, c, y - 1, x), left = x == 0 ? 0 : view.at(0, c, y, x - 1);
        const std::int64_t kinds[] = {
            noise % 2, x * 5 + noise % 3, above + noise % 2, (above + left) / 2 + noise % 2, 90 * ((x / 3 + y) % 3),
            noise};
        view.at(0, c, y, x) = static_cast<T>(kinds[y / 2 % 6]);
      }
  return image;
}

}  // namespace

TEST_CASE("every filter, level and strategy gives the same pixels") {
  std::set<int> filters;
  for (const PixelFormat format : {PixelFormat::grey, PixelFormat::grey_alpha, PixelFormat::rgb, PixelFormat::rgba})
    for (const std::int64_t width : {1, 2, 31, 1500})
      for (const int level : {0, 1, 2, 9})
        for (int strategy = -1; strategy < 5; ++strategy) {
          CAPTURE(static_cast<int>(format));
          CAPTURE(width);
          CAPTURE(level);
          CAPTURE(strategy);
          EncodeOptions options{.png_level = level};
          if (strategy >= 0) options.png_strategy = static_cast<PngStrategy>(strategy);
          const auto check = [&](const Image& image, const std::vector<std::uint8_t>& expected, int depth) {
            const Png png = read_png(encode_image(image, *find_picture_format("png"), options));
            CHECK(png.width == width);
            CHECK(png.height == 40);
            CHECK(png.depth == depth);
            CHECK(png.colour_type == std::array{0, 4, 2, 6}.at(static_cast<std::size_t>(format)));
            CHECK(png.samples == expected);
            for (const int filter : png.filters) {
              if (level == 0) CHECK(filter == 0);
              filters.insert(filter);
            }
          };
          const Image bytes = various_lines<std::uint8_t>(format, width),
                      words = various_lines<std::uint16_t>(format, width);
          check(bytes, samples_of<std::uint8_t>(bytes), 8);
          check(words, samples_of<std::uint16_t>(words), 16);
        }
  CHECK(filters == std::set{0, 1, 2, 3, 4});
}

TEST_CASE("a picture in strips has the same bytes for any number of threads") {
  constexpr std::int64_t kHeight = 700, kWidth = 1000;  // 3000 bytes a row: 174 rows a strip of 2^19 bytes
  const auto check = [](const Image& image) {
    EncodeOptions options;
    const Bytes file = encode_image(image, *find_picture_format("png"), options);
    const Png png = read_png(file);
    CHECK(png.strips == 5);
    CHECK(png.samples == samples_of<std::uint8_t>(image));
    for (const int threads : {0, 2, 3, 16}) {
      CAPTURE(threads);
      options.threads = threads;
      CHECK(byte_difference(encode_image(image, *find_picture_format("png"), options), file) == "");
    }
    return file.size();
  };
  const auto filled = [](auto value) {
    Image image(DType::u8, PixelFormat::rgb, kHeight, kWidth);
    const TensorView<std::uint8_t> view = image.all().view<std::uint8_t>();
    for (std::int64_t y = 0; y < kHeight; ++y)
      for (std::int64_t x = 0; x < kWidth; ++x)
        for (std::int64_t c = 0; c < 3; ++c) view.at(0, c, y, x) = static_cast<std::uint8_t>(value(y, x, c));
    return image;
  };
  Random random(9);
  const std::size_t noise = check(filled([&](auto, auto, auto) { return random.between(0, 255); }));
  CHECK(noise > kHeight * kWidth * 3);  // stored
  check(filled([&](auto y, auto x, auto c) { return x + y + 30 * c + random.between(0, 3); }));
  const std::size_t flat = check(filled([](auto, auto, auto) { return 77; }));
  CHECK(flat < kHeight * kWidth * 3 / 500);  // long repetitions are found
}

TEST_CASE("parts of a Deflate stream can be joined in any order") {
  Random random(10);
  for (const std::size_t size : {1u, 2u, 300u, 65535u, 65536u, 70000u, 600000u})
    for (const int kind : {0, 1, 2, 3}) {
      CAPTURE(size);
      CAPTURE(kind);
      Bytes text(size);
      for (std::size_t i = 0; i < size; ++i) {
        const bool is_flat = kind == 2 || (kind == 3 && i / 150000 % 2 == 0);
        text[i] = static_cast<std::byte>(kind == 0 ? random.between(0, 255) : is_flat ? 7 : random.between(0, 20));
      }
      const Bytes other(100, std::byte{42});
      const Bytes part = deflate_part(text, false), between = deflate_part(other, false),
                  last = deflate_part(text, true);
      Bytes stream = {std::byte{0x78}, std::byte{0x01}};
      for (const Bytes* piece : {&part, &between, &last}) stream.insert(stream.end(), piece->begin(), piece->end());
      std::uint32_t adler = adler32_of(text, kAdler32OfNothing);
      adler = join_adler32(adler, adler32_of(other, kAdler32OfNothing), other.size());
      adler = join_adler32(adler, adler32_of(text, kAdler32OfNothing), text.size());
      for (int shift = 24; shift >= 0; shift -= 8) stream.push_back(static_cast<std::byte>(adler >> shift));

      Bytes expected = text;
      expected.insert(expected.end(), other.begin(), other.end());
      expected.insert(expected.end(), text.begin(), text.end());
      Bytes back(expected.size() + 1);
      uLongf length = back.size();
      REQUIRE(uncompress(reinterpret_cast<Bytef*>(back.data()), &length, reinterpret_cast<const Bytef*>(stream.data()),
                         stream.size()) == Z_OK);
      back.resize(length);
      CHECK((back == expected));
    }
}

TEST_CASE("a part is compressed by literals, by repetitions, or by both") {
  constexpr std::size_t kSize = 1 << 19;
  Random random(11);
  Bytes few(kSize), repeated(kSize), mixed(kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    few[i] = static_cast<std::byte>(random.between(0, 15));
    repeated[i] = i < 1000 ? static_cast<std::byte>(random.between(0, 255)) : repeated[i - 1000];
    if (i >= kSize / 4) mixed[i] = few[i];
  }
  constexpr std::size_t kMargin = kSize / 100;  // for headers, and for chance repetitions that are no gain
  CHECK(deflate_part(few, true).size() < kSize / 2 + kMargin);  // 4 bits each
  CHECK(deflate_part(repeated, true).size() < kSize / 2);       // literals take 8 bits each
  // The block in which flat and other bytes meet, of at most 64 KiB, has at least 1 bit for each byte.
  CHECK(deflate_part(mixed, true).size() < kSize * 3 / 8 + (1 << 16) / 8 + kMargin);
}

TEST_CASE("deflate() returns a complete stream for data of several pieces") {
  Bytes noise(3 << 20);
  Random random(8);
  for (std::byte& byte : noise) byte = static_cast<std::byte>(random.between(0, 255));
  for (int strategy = -1; strategy < 5; ++strategy) {
    CAPTURE(strategy);
    const Bytes stream =
        deflate(noise, 6, strategy < 0 ? std::nullopt : std::optional(static_cast<PngStrategy>(strategy)));
    Bytes back(noise.size());
    uLongf size = back.size();
    REQUIRE(uncompress(reinterpret_cast<Bytef*>(back.data()), &size, reinterpret_cast<const Bytef*>(stream.data()),
                       stream.size()) == Z_OK);
    CHECK((size == noise.size() && back == noise));
  }
}
