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

TEST_CASE("PNM of every kind: the largest value becomes the full range") {
  const auto pnm = [](const std::string& text) { return outcome(to_bytes(text)); };
  using namespace std::string_literals;
  CHECK(pnm("P1\n3 2\n0 1 0\n1 1 0\n") == "u8 grey 255 0 255 0 0 255");
  CHECK(pnm("P4\n3 2\n\xa0\x40") == "u8 grey 0 255 0 255 0 255");
  CHECK(pnm("P2\n3 1\n255\n0 7 255\n") == "u8 grey 0 7 255");
  CHECK(pnm("P2\n3 1\n15\n0 7 15\n") == "u8 grey 0 119 255");
  CHECK(pnm("P5\n3 1\n15\n\0\x07\x0f"s) == "u8 grey 0 119 255");
  CHECK(pnm("P5\n3 1\n100\n\0\x32\xff"s) == "u8 grey 0 127 255");  // a larger value counts as the largest
  CHECK(pnm("P2\n3 1\n100\n0 50 200\n") == "u8 grey 0 127 255");
  CHECK(pnm("P3 1 1 15 1 2 3\n") == "u8 rgb 17 34 51");
  CHECK(pnm("P6 1 1 15\n\x01\x02\x03") == "u8 rgb 17 34 51");
  CHECK(pnm("P2\n2 1\n65535\n7 65535\n") == "u16 grey 7 65535");
  CHECK(pnm("P5\n2 1\n65535\n\x01\x02\xff\xff") == "u16 grey 258 65535");
  CHECK(pnm("P2\n3 1\n1023\n0 512 1023\n") == "u16 grey 0 32799 65535");
  CHECK(pnm("P5\n3 1\n1023\n\0\0\x02\0\x03\xff"s) == "u16 grey 0 32799 65535");
  CHECK(pnm("P6\n1 1\n256\n\x01\0\0\x80\0\0"s) == "u16 rgb 65535 32767 0");
}

TEST_CASE("PFM: rows from the bottom, both byte orders") {
  CHECK(outcome(to_bytes(std::string("Pf\n1 2\n-1.0\n\0\0\x80\x3f\0\0\0\xc0", 21))) == "f32 grey -2 1");
  CHECK(outcome(to_bytes(std::string("Pf\n1 2\n1.0\n\x3f\x80\0\0\xc0\0\0\0", 20))) == "f32 grey -2 1");
}

TEST_CASE("BMP: masks, palettes and the unused byte") {
  const auto bmp = [](BmpParts parts) { return outcome(bmp_file(parts)); };
  CHECK(bmp({.width = 1, .height = 2, .pixels = bytes({1, 2, 3, 0, 4, 5, 6, 0})}) == "u8 rgb 6 5 4 3 2 1");
  CHECK(bmp({.width = 1, .height = -2, .pixels = bytes({1, 2, 3, 0, 4, 5, 6, 0})}) == "u8 rgb 3 2 1 6 5 4");
  CHECK(bmp({.width = 1, .height = 1, .bits = 32, .pixels = bytes({1, 2, 3, 9})}) == "u8 rgb 3 2 1");
  CHECK(bmp({.width = 1,
             .height = 1,
             .bits = 32,
             .compression = 3,
             .masks = {0xff0000, 0xff00, 0xff, 0xff000000},
             .pixels = bytes({1, 2, 3, 9})}) == "u8 rgba 3 2 1 9");
  CHECK(bmp({.width = 1,
             .height = 1,
             .bits = 32,
             .compression = 3,
             .masks = {0xff, 0xff00, 0xff0000, 0xff000000},
             .pixels = bytes({1, 2, 3, 9})}) == "u8 rgba 1 2 3 9");
  CHECK(bmp({.width = 1,
             .height = 1,
             .bits = 32,
             .compression = 3,
             .masks = {0xff0000, 0xff00, 0xff, 0},
             .pixels = bytes({1, 2, 3, 9})}) == "u8 rgb 3 2 1");
  CHECK(bmp({.width = 1,
             .height = 1,
             .bits = 32,
             .compression = 3,
             .masks = {0x3ff00000, 0xffc00, 0x3ff, 0},
             .pixels = bytes({1, 2, 3, 9})}) ==
        "a BMP with channels that are not whole bytes cannot be read; convert it to PNG");
  CHECK(bmp({.width = 3,
             .height = 1,
             .bits = 8,
             .palette = bytes({1, 1, 1, 0, 5, 5, 5, 0}),
             .pixels = bytes({0, 1, 1, 0})}) == "u8 grey 1 5 5");
  CHECK(bmp({.width = 3,
             .height = 1,
             .bits = 1,
             .palette = bytes({1, 2, 3, 0, 5, 6, 7, 0}),
             .pixels = bytes({0x40, 0, 0, 0})}) == "u8 rgb 3 2 1 7 6 5 3 2 1");
}

TEST_CASE("OpenEXR of half floats, with alpha") {
  const cv::Mat mat(1, 1, CV_32FC4, cv::Scalar(0.25, -2, 1024, 0.5));
  CHECK(outcome(opencv_file(".exr", mat, {cv::IMWRITE_EXR_TYPE, cv::IMWRITE_EXR_TYPE_HALF})) ==
        "f32 rgba 1024 -2 0.25 0.5");
}

TEST_CASE("the header gives the channels and the element type of the decoded picture") {
  for (const Sample& sample : sample_pictures()) {
    CAPTURE(sample.name);
    CHECK(!outcome(sample.file).empty());
  }
}
