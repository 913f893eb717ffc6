// Decoding every kind of pixel: depths, palettes, masks, transparency, unusual layouts.
#include <doctest/doctest.h>

#include "pictures/outcome.h"
#include "pictures/sample_pictures.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

/// Numbers of `size` bytes in either byte order.
Bytes numbers(bool big_endian, int size, std::initializer_list<std::int64_t> list) {
  ByteWriter writer(big_endian);
  for (const std::int64_t value : list)
    size == 2 ? writer.u16(static_cast<std::uint64_t>(value)) : writer.u32(static_cast<std::uint64_t>(value));
  return writer.bytes();
}

}  // namespace

TEST_CASE("PNG of every colour type and depth") {
  const auto png = [](PngParts parts) { return outcome(png_file(parts)); };
  CHECK(png({.width = 3, .height = 1, .bit_depth = 1, .colour_type = 0, .rows = bytes({0, 0xa0})}) ==
        "u8 grey 255 0 255");
  CHECK(png({.width = 3, .height = 1, .bit_depth = 2, .colour_type = 0, .rows = bytes({0, 0x18})}) ==
        "u8 grey 0 85 170");
  CHECK(png({.width = 3, .height = 1, .bit_depth = 4, .colour_type = 0, .rows = bytes({0, 0x18, 0xf0})}) ==
        "u8 grey 17 136 255");
  CHECK(png({.width = 2, .height = 1, .bit_depth = 16, .colour_type = 0, .rows = bytes({0, 1, 7, 255, 255})}) ==
        "u16 grey 263 65535");
  CHECK(png({.width = 2, .height = 1, .bit_depth = 8, .colour_type = 4, .rows = bytes({0, 1, 7, 9, 200})}) ==
        "u8 grey_alpha 1 7 9 200");
  CHECK(png({.width = 1, .height = 1, .bit_depth = 16, .colour_type = 4, .rows = bytes({0, 1, 7, 9, 200})}) ==
        "u16 grey_alpha 263 2504");
  CHECK(png({.width = 1, .height = 1, .bit_depth = 8, .colour_type = 2, .rows = bytes({0, 1, 7, 9})}) ==
        "u8 rgb 1 7 9");
  CHECK(png({.width = 1, .height = 1, .bit_depth = 8, .colour_type = 6, .rows = bytes({0, 1, 7, 9, 0})}) ==
        "u8 rgba 1 7 9 0");
  const Bytes palette = bytes({1, 2, 3, 4, 5, 6});
  CHECK(
      png({.width = 2, .height = 1, .bit_depth = 2, .colour_type = 3, .palette = palette, .rows = bytes({0, 0x40})}) ==
      "u8 rgb 4 5 6 1 2 3");
  CHECK(png({.width = 2,
             .height = 1,
             .bit_depth = 8,
             .colour_type = 3,
             .palette = palette,
             .transparency = bytes({9}),
             .rows = bytes({0, 1, 0})}) == "u8 rgba 4 5 6 255 1 2 3 9");
}

TEST_CASE("PNG with one transparent colour or grey") {
  const auto png = [](PngParts parts) { return outcome(png_file(parts)); };
  CHECK(png({.width = 2,
             .height = 1,
             .bit_depth = 8,
             .colour_type = 2,
             .transparency = bytes({0, 1, 0, 7, 0, 9}),
             .rows = bytes({0, 1, 7, 9, 2, 3, 4})}) == "u8 rgba 1 7 9 0 2 3 4 255");
  CHECK(png({.width = 3,
             .height = 1,
             .bit_depth = 8,
             .colour_type = 0,
             .transparency = bytes({0, 7}),
             .rows = bytes({0, 1, 7, 9})}) == "u8 grey_alpha 1 255 7 0 9 255");
  CHECK(png({.width = 2,
             .height = 1,
             .bit_depth = 16,
             .colour_type = 0,
             .transparency = bytes({1, 7}),
             .rows = bytes({0, 1, 7, 1, 8})}) == "u16 grey_alpha 263 0 264 65535");
  CHECK(png({.width = 3,
             .height = 1,
             .bit_depth = 2,
             .colour_type = 0,
             .transparency = bytes({0, 1}),
             .rows = bytes({0, 0x18})}) == "u8 grey_alpha 0 255 85 0 170 255");
}

TEST_CASE("a tRNS chunk that libpng ignores makes no alpha") {
  const auto png = [](PngParts parts) { return outcome(png_file(parts)); };
  const Bytes grey = bytes({0, 1, 7}), palette = bytes({1, 2, 3, 4, 5, 6});
  CHECK(png({.width = 2, .height = 1, .colour_type = 0, .transparency = bytes({0, 7, 0}), .rows = grey}) ==
        "u8 grey 1 7");  // not two bytes
  CHECK(png({.width = 1, .height = 1, .colour_type = 2, .transparency = bytes({0, 7}), .rows = bytes({0, 1, 2, 3})}) ==
        "u8 rgb 1 2 3");  // not six
  CHECK(png({.width = 1,
             .height = 1,
             .colour_type = 3,
             .palette = palette,
             .transparency = bytes({9, 9, 9}),
             .rows = bytes({0, 1})}) == "u8 rgb 4 5 6");  // more than colours
  Bytes file = png_file({.width = 2, .height = 1, .colour_type = 0, .transparency = bytes({0, 7}), .rows = grey});
  CHECK(outcome(file) == "u8 grey_alpha 1 255 7 0");
  file[8 + 25 + 8] ^= std::byte{1};  // its checksum is wrong
  CHECK(outcome(file) == "u8 grey 1 7");
  // After the pixels it comes too late.
  const Bytes plain = png_file({.width = 2, .height = 1, .colour_type = 2, .rows = bytes({0, 1, 2, 3, 4, 5, 6})});
  ByteWriter late;
  late.append(std::span(plain).first(plain.size() - 12));
  late.append(png_chunk("tRNS", bytes({0, 1, 0, 2, 0, 3}))).append(png_chunk("IEND", {}));
  CHECK(outcome(late.bytes()) == "u8 rgb 1 2 3 4 5 6");
}

TEST_CASE("PFM: rows from the bottom, both byte orders") {
  CHECK(outcome(to_bytes(std::string("Pf\n1 2\n-1.0\n\0\0\x80\x3f\0\0\0\xc0", 21))) == "f32 grey -2 1");
  CHECK(outcome(to_bytes(std::string("Pf\n1 2\n1.0\n\x3f\x80\0\0\xc0\0\0\0", 20))) == "f32 grey -2 1");
}

TEST_CASE("TIFF layouts in both byte orders") {
  for (const bool big : {false, true}) {
    CAPTURE(big);
    const auto tiff = [big](TiffParts parts) {
      parts.big_endian = big;
      return outcome(tiff_file(parts));
    };
    const auto n16 = [big](std::initializer_list<std::int64_t> list) { return numbers(big, 2, list); };
    const auto n32 = [big](std::initializer_list<std::int64_t> list) { return numbers(big, 4, list); };

    CHECK(tiff({.width = 2, .height = 2, .bits = 1, .blocks = {bytes({0x80, 0x40})}}) == "u8 grey 255 0 0 255");
    CHECK(tiff({.width = 2, .height = 2, .bits = 1, .photometric = 0, .blocks = {bytes({0x80, 0x40})}}) ==
          "u8 grey 0 255 255 0");
    CHECK(tiff({.width = 2, .height = 2, .rows_per_strip = 1, .blocks = {bytes({1, 2}), bytes({3, 4})}}) ==
          "u8 grey 1 2 3 4");
    CHECK(tiff({.width = 2, .height = 1, .photometric = 0, .blocks = {bytes({1, 255})}}) == "u8 grey 254 0");
    CHECK(tiff({.width = 2, .height = 1, .bits = 16, .blocks = {n16({258, 65535})}}) == "u16 grey 258 65535");
    CHECK(tiff({.width = 2, .height = 1, .bits = 16, .photometric = 0, .blocks = {n16({258, 65535})}}) ==
          "u16 grey 65277 0");
    CHECK(tiff({.width = 2, .height = 1, .bits = 12, .blocks = {bytes({0x80, 0x0f, 0xff})}}) == "u16 grey 32775 65535");
    CHECK(tiff({.width = 2, .height = 1, .bits = 12, .photometric = 0, .blocks = {bytes({0x80, 0x0f, 0xff})}}) ==
          "u16 grey 32760 0");
    CHECK(tiff({.width = 2, .height = 1, .sample_format = 2, .blocks = {bytes({1, 254})}}) == "f32 grey 1 -2");
    CHECK(tiff({.width = 2, .height = 1, .bits = 16, .sample_format = 2, .blocks = {n16({258, -3})}}) ==
          "f32 grey 258 -3");
    CHECK(tiff({.width = 2, .height = 1, .bits = 32, .sample_format = 2, .blocks = {n32({-7, 5})}}) == "f32 grey -7 5");
    CHECK(tiff({.width = 2, .height = 1, .bits = 32, .sample_format = 3, .blocks = {n32({0x3f800000, 0xc0000000})}}) ==
          "f32 grey 1 -2");
    CHECK(tiff({.width = 1,
                .height = 1,
                .bits = 64,
                .sample_format = 3,
                .blocks = {big ? n32({0x3ff80000, 0}) : n32({0, 0x3ff80000})}}) == "f32 grey 1.5");

    CHECK(tiff({.width = 1, .height = 2, .samples = 3, .photometric = 2, .blocks = {bytes({1, 2, 3, 4, 5, 6})}}) ==
          "u8 rgb 1 2 3 4 5 6");
    CHECK(tiff({.width = 1,
                .height = 2,
                .samples = 3,
                .photometric = 2,
                .planar = true,
                .blocks = {bytes({1, 4}), bytes({2, 5}), bytes({3, 6})}}) == "u8 rgb 1 2 3 4 5 6");
    CHECK(tiff({.width = 1, .height = 1, .bits = 16, .samples = 3, .photometric = 2, .blocks = {n16({1, 2, 600})}}) ==
          "u16 rgb 1 2 600");
    CHECK(tiff({.width = 1,
                .height = 1,
                .bits = 16,
                .samples = 3,
                .photometric = 2,
                .sample_format = 2,
                .blocks = {n16({1, -2, 3})}}) == "f32 rgb 1 -2 3");
    CHECK(tiff({.width = 1,
                .height = 1,
                .bits = 32,
                .samples = 3,
                .photometric = 2,
                .sample_format = 3,
                .blocks = {n32({0x3f800000, 0x40000000, 0})}}) == "f32 rgb 1 2 0");
    for (const std::vector<std::uint32_t>& extra :
         {std::vector<std::uint32_t>{}, {0}, {1}, {2}}) {  // colours are not multiplied by alpha
      CHECK(tiff({.width = 1,
                  .height = 1,
                  .samples = 4,
                  .photometric = 2,
                  .extra = extra,
                  .blocks = {bytes({100, 50, 20, 128})}}) == "u8 rgba 100 50 20 128");
      CHECK(tiff({.width = 1,
                  .height = 1,
                  .bits = 16,
                  .samples = 4,
                  .photometric = 2,
                  .extra = extra,
                  .blocks = {n16({100, 50, 20, 128})}}) == "u16 rgba 100 50 20 128");
    }
    std::vector<std::uint32_t> colour_map(768, 0);
    colour_map[1] = 65535, colour_map[257] = 256 * 7, colour_map[513] = 256 * 9;
    CHECK(tiff({.width = 2, .height = 1, .photometric = 3, .colour_map = colour_map, .blocks = {bytes({0, 1})}}) ==
          "u8 rgb 0 0 0 255 7 9");
    CHECK(tiff({.width = 1, .height = 1, .samples = 4, .photometric = 5, .blocks = {bytes({255, 0, 0, 0})}}) ==
          "u8 rgb 0 255 255");  // CMYK: cyan
  }
}

TEST_CASE("tiles are put in their places") {
  const auto tile = [](int first) {
    ByteWriter pixels;
    for (int i = 0; i < 256; ++i) pixels.u8(static_cast<unsigned>(first + i));
    return pixels.bytes();
  };
  const Image image = decode_image(
      tiff_file({.width = 20, .height = 18, .tile = 16, .blocks = {tile(0), tile(1), tile(2), tile(3)}}), 1000);
  const auto view = image.all().view<std::uint8_t>();
  for (std::int64_t y = 0; y < 18; ++y)
    for (std::int64_t x = 0; x < 20; ++x)
      CHECK(view.at(0, 0, y, x) == ((y % 16) * 16 + x % 16 + y / 16 * 2 + x / 16) % 256);
}

TEST_CASE("TIFF layouts that OpenCV decodes incorrectly are refused") {
  const auto tiff = [](TiffParts parts) { return outcome(tiff_file(parts)); };
  CHECK(tiff({.width = 1, .height = 1, .samples = 2, .extra = {2}, .blocks = {bytes({100, 128})}}) ==
        "a TIFF of 2 sample(s) of 8 bits (unsigned), photometric interpretation 1 cannot be read; convert it, "
        "for example to 16-bit RGB");
  CHECK(tiff({.width = 1,
              .height = 1,
              .bits = 16,
              .samples = 3,
              .photometric = 2,
              .planar = true,
              .blocks = {Bytes(2), Bytes(2), Bytes(2)}}) ==
        "a TIFF of 3 sample(s) of 16 bits (unsigned), photometric interpretation 2, one plane per sample cannot be "
        "read; convert it, for example to 16-bit RGB");
  const auto refused = [&](TiffParts parts) {
    return tiff(parts).find(" cannot be read; convert it") != std::string::npos;
  };
  CHECK(refused({.width = 2, .height = 1, .bits = 4, .blocks = {Bytes(1)}}));
  CHECK(refused({.width = 1, .height = 1, .bits = 16, .sample_format = 3, .blocks = {Bytes(2)}}));  // half
  CHECK(refused({.width = 1, .height = 1, .bits = 32, .blocks = {Bytes(4)}}));
  CHECK(refused({.width = 1, .height = 1, .samples = 5, .photometric = 2, .blocks = {Bytes(5)}}));
  CHECK(refused({.width = 1, .height = 1, .bits = 16, .samples = 3, .photometric = 8, .blocks = {Bytes(6)}}));
  CHECK(refused({.width = 8,
                 .height = 1,
                 .bits = 1,
                 .photometric = 3,
                 .colour_map = std::vector<std::uint32_t>(6),
                 .blocks = {Bytes(1)}}));
}

TEST_CASE("the header gives the channels and the element type of the decoded picture") {
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    CHECK(!outcome(sample.file).empty());
  }
}
