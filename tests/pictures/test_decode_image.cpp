// Decoding every kind of pixel: depths, palettes, masks, transparency, unusual layouts.
#include <doctest/doctest.h>

#include "pictures/outcome.h"
#include "pictures/sample_pictures.h"

using namespace convtool;
using namespace convtool::testing;

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

TEST_CASE("PNG headers with a layout that does not exist are refused before decoding") {
  const auto png = [](int bit_depth, int colour_type) {
    return outcome(
        png_file({.width = 1, .height = 1, .bit_depth = bit_depth, .colour_type = colour_type, .rows = Bytes(9)}));
  };
  const std::string damaged = "damaged or truncated PNG (";
  for (const int depth : {0, 3, 5, 6, 7, 12, 32})
    CHECK(png(depth, 0) == damaged + "a depth of " + std::to_string(depth) + " bits)");
  for (const int type : {1, 5, 7})
    CHECK(png(8, type) == damaged + "colour type " + std::to_string(type) + ", expected 0, 2, 3, 4 or 6)");
  for (const int type : {2, 4, 6})
    CHECK(png(4, type) == damaged + "colour type " + std::to_string(type) + " with a depth of 4 bits)");
  CHECK(png(16, 3) == damaged + "colour type 3 with a depth of 16 bits)");
  CHECK(png(8, 3) == damaged + "no palette before its pixels)");
}

TEST_CASE("a picture that differs from the header it is decoded by is refused") {
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    const PictureHeader header = read_picture_header(sample.file);
    for (int i = 0; i < 3; ++i) {
      CAPTURE(i);
      PictureHeader other = header;
      if (i == 0) other.channels = header.channels % 3 + 1;
      if (i == 1) other.dtype = header.dtype == DType::u8 ? DType::u16 : DType::u8;
      if (i == 2) other.width = header.width - 1;
      CHECK_THROWS_AS(decode_image(sample.file, other), Error);
    }
  }
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
  // One that it ignores for its checksum alone would lose alpha unnoticed.
  file[8 + 25 + 8] ^= std::byte{1};
  CHECK(outcome(file) == "damaged or truncated PNG (the checksum of its transparency is wrong)");
  // After the pixels it comes too late.
  const Bytes plain = png_file({.width = 2, .height = 1, .colour_type = 2, .rows = bytes({0, 1, 2, 3, 4, 5, 6})});
  ByteWriter late;
  late.append(std::span(plain).first(plain.size() - 12));
  late.append(png_chunk("tRNS", bytes({0, 1, 0, 2, 0, 3}))).append(png_chunk("IEND", {}));
  CHECK(outcome(late.bytes()) == "u8 rgb 1 2 3 4 5 6");
}

TEST_CASE("the header gives the channels and the element type of the decoded picture") {
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    CHECK(!outcome(sample.file).empty());
  }
}
