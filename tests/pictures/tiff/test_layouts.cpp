// The layouts of TIFF: bit depths, sample types, planes, palettes, inks, alpha, tiles.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "pictures/outcome.h"
#include "support/picture_bytes.h"

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

std::string tiff_outcome(const TiffParts& parts) { return outcome(tiff_file(parts)); }

}  // namespace

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
          "u16 grey 32759 0");
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
         {std::vector<std::uint32_t>{}, {0}, {2}}) {  // colours are not multiplied by alpha
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

TEST_CASE("TIFF samples of every depth: the largest value becomes the full range, rounding down") {
  // 0, the middle and the largest value, packed from the highest bit.
  for (unsigned bits = 1; bits <= 16; ++bits) {
    CAPTURE(bits);
    const std::uint64_t largest = (1u << bits) - 1, middle = largest / 2, full = bits <= 8 ? 255 : 65535;
    std::uint64_t packed = 0;
    for (const std::uint64_t value : {std::uint64_t{0}, middle, largest}) packed = packed << bits | value;
    const unsigned row_bytes = (3 * bits + 7) / 8;
    const std::uint64_t row = packed << (8 * row_bytes - 3 * bits);
    Bytes block;
    for (unsigned i = 0; i < row_bytes; ++i) block.push_back(static_cast<std::byte>(row >> 8 * (row_bytes - 1 - i)));
    if (bits == 16) block = numbers(true, 2, {0, static_cast<std::int64_t>(middle), 65535});
    const std::string dtype = bits <= 8 ? "u8" : "u16";
    const auto scaled = [&](std::uint64_t value) { return std::to_string(value * full / largest); };
    for (const bool big : {false, true}) {
      if (bits == 16 && !big) continue;
      CHECK(tiff_outcome({.big_endian = big, .width = 3, .height = 1, .bits = bits, .blocks = {block}}) ==
            dtype + " grey 0 " + scaled(middle) + " " + std::to_string(full));
      // White is 0: the same as the inverted samples where black is 0.
      CHECK(tiff_outcome(
                {.big_endian = big, .width = 3, .height = 1, .bits = bits, .photometric = 0, .blocks = {block}}) ==
            dtype + " grey " + std::to_string(full) + " " + scaled(largest - middle) + " 0");
    }
  }
}

TEST_CASE("wide and floating samples of a TIFF become f32") {
  for (const bool big : {false, true}) {
    CAPTURE(big);
    const auto n16 = [big](std::initializer_list<std::int64_t> list) { return numbers(big, 2, list); };
    const auto n32 = [big](std::initializer_list<std::int64_t> list) { return numbers(big, 4, list); };
    const auto n64 = [&](std::int64_t high, std::int64_t low) { return big ? n32({high, low}) : n32({low, high}); };
    const auto one = [big](unsigned bits, unsigned format, Bytes block, unsigned photometric = 1) {
      return tiff_outcome({.big_endian = big,
                           .width = 1,
                           .height = 1,
                           .bits = bits,
                           .photometric = photometric,
                           .sample_format = format,
                           .blocks = {std::move(block)}});
    };
    CHECK(one(32, 1, n32({70000})) == "f32 grey 70000");
    CHECK(one(32, 1, n32({0xffffffff})) == "f32 grey 4.29497e+09");
    CHECK(one(32, 1, n32({0xffffffff}), 0) == "f32 grey 0");
    CHECK(one(64, 1, n64(1, 0)) == "f32 grey 4.29497e+09");
    CHECK(one(64, 2, n64(-1, -9)) == "f32 grey -9");
    CHECK(one(16, 3, n16({0x3c00})) == "f32 grey 1");  // IEEE 754 binary16
    CHECK(one(16, 3, n16({0xc500})) == "f32 grey -5");
    CHECK(one(16, 3, n16({0x0001})) == "f32 grey 5.96046e-08");
    CHECK(one(16, 3, n16({0x7c00})) == "f32 grey inf");
    CHECK(one(16, 4, n16({300})) == "u16 grey 300");  // an undefined format counts as unsigned
    CHECK(tiff_outcome({.big_endian = big,
                        .width = 1,
                        .height = 1,
                        .bits = 16,
                        .samples = 3,
                        .photometric = 2,
                        .sample_format = 3,
                        .blocks = {n16({0x3c00, 0x4000, 0xbc00})}}) == "f32 rgb 1 2 -1");
    CHECK(tiff_outcome({.big_endian = big,
                        .width = 1,
                        .height = 1,
                        .bits = 64,
                        .samples = 3,
                        .photometric = 2,
                        .sample_format = 3,
                        .planar = true,
                        .blocks = {n64(0x3ff80000, 0), n64(0x40000000, 0), n64(0, 0)}}) == "f32 rgb 1.5 2 0");
    CHECK(tiff_outcome({.big_endian = big,
                        .width = 2,
                        .height = 1,
                        .bits = 16,
                        .samples = 3,
                        .photometric = 2,
                        .planar = true,
                        .blocks = {n16({1, 2}), n16({300, 400}), n16({5, 65535})}}) == "u16 rgb 1 300 5 2 400 65535");
  }
}

TEST_CASE("TIFF palettes of 1 to 8 bits") {
  const auto palette = [](unsigned bits, Bytes row, unsigned scale) {
    const std::size_t colours = std::size_t{1} << bits;
    std::vector<std::uint32_t> map(3 * colours);
    for (std::size_t i = 0; i < colours; ++i)
      for (std::size_t c = 0; c < 3; ++c)
        map[c * colours + i] = static_cast<std::uint32_t>(scale * ((10 * c + i) % 256));
    return tiff_outcome(
        {.width = 2, .height = 1, .bits = bits, .photometric = 3, .colour_map = map, .blocks = {std::move(row)}});
  };
  for (const unsigned scale : {256u, 257u, 1u}) {  // 1: 8-bit values, as old writers stored them
    CAPTURE(scale);
    CHECK(palette(1, bytes({0x40}), scale) == "u8 rgb 0 10 20 1 11 21");
    CHECK(palette(2, bytes({0xb0}), scale) == "u8 rgb 2 12 22 3 13 23");
    CHECK(palette(4, bytes({0xf1}), scale) == "u8 rgb 15 25 35 1 11 21");
    CHECK(palette(8, bytes({200, 7}), scale) == "u8 rgb 200 210 220 7 17 27");
  }
  std::vector<std::uint32_t> map(768, 0);
  map[1] = 65535, map[257] = 256 * 7, map[513] = 256 * 9;
  CHECK(tiff_outcome({.width = 2,
                      .height = 1,
                      .samples = 2,
                      .photometric = 3,
                      .extra = {2},
                      .colour_map = map,
                      .blocks = {bytes({1, 100, 0, 255})}}) == "u8 rgba 255 7 9 100 0 0 0 255");
  CHECK(tiff_outcome(
            {.width = 8, .height = 1, .bits = 2, .photometric = 3, .colour_map = {1, 2, 3}, .blocks = {Bytes(2)}}) ==
        "damaged or truncated TIFF (a palette with too few colours)");
}

TEST_CASE("CMYK in TIFF becomes RGB by the exact product, rounded") {
  // (255 - C) * (255 - K) / 255: 155 * 205 / 255 = 124.6, 255 * 205 / 255 = 205, 1 * 205 / 255 = 0.8.
  CHECK(tiff_outcome({.width = 1, .height = 1, .samples = 4, .photometric = 5, .blocks = {bytes({100, 0, 254, 50})}}) ==
        "u8 rgb 125 205 1");
  CHECK(tiff_outcome({.width = 1,
                      .height = 1,
                      .samples = 4,
                      .photometric = 5,
                      .planar = true,
                      .blocks = {bytes({100}), bytes({0}), bytes({254}), bytes({50})}}) == "u8 rgb 125 205 1");
  // 64535 * 45535 / 65535 = 44840.2, 65535 * 45535 / 65535 = 45535, 65525 * 45535 / 65535 = 45528.05.
  CHECK(tiff_outcome({.width = 1,
                      .height = 1,
                      .bits = 16,
                      .samples = 4,
                      .photometric = 5,
                      .blocks = {numbers(false, 2, {1000, 0, 10, 20000})}}) == "u16 rgb 44840 45535 45528");
  CHECK(tiff_outcome({.width = 1,
                      .height = 1,
                      .samples = 5,
                      .photometric = 5,
                      .extra = {2},
                      .blocks = {bytes({100, 0, 254, 50, 77})}}) == "u8 rgba 125 205 1 77");
}

TEST_CASE("CMYK in TIFF of any depth is rounded once") {
  for (unsigned bits = 1; bits <= 16; ++bits) {
    CAPTURE(bits);
    const std::uint64_t largest = (1u << bits) - 1;
    const double full = bits <= 8 ? 255 : 65535;
    // Values of cyan and black that differ in all products; magenta and yellow are 0.
    for (const std::uint64_t cyan : {largest / 3, largest / 2, largest * 5 / 7})
      for (const std::uint64_t black : {std::uint64_t{0}, largest / 5, largest / 2, largest}) {
        const unsigned row_bytes = (5 * bits + 7) / 8;
        ByteWriter row;
        if (bits == 16) {
          row.u16(cyan).u16(0).u16(0).u16(black).u16(largest / 2);
        } else {
          std::vector<bool> packed;
          for (const std::uint64_t value : {cyan, std::uint64_t{0}, std::uint64_t{0}, black, largest / 2})
            for (unsigned bit = bits; bit-- > 0;) packed.push_back((value >> bit & 1) != 0);
          packed.resize(8 * row_bytes);
          for (std::size_t i = 0; i < packed.size(); i += 8) {
            unsigned byte = 0;
            for (std::size_t j = i; j < i + 8; ++j) byte = byte << 1 | (packed[j] ? 1 : 0);
            row.u8(byte);
          }
        }
        const double one = static_cast<double>(largest), light = (one - static_cast<double>(black)) / one;
        const auto text = [](double value) {
          char number[32];
          std::snprintf(number, sizeof number, " %g", value);
          return std::string(number);
        };
        const std::string paper = text(std::round(light * full));
        CHECK(tiff_outcome({.width = 1,
                            .height = 1,
                            .bits = bits,
                            .samples = 5,
                            .photometric = 5,
                            .extra = {2},
                            .blocks = {row.bytes()}}) ==
              (bits <= 8 ? "u8 rgba" : "u16 rgba") +
                  text(std::round((one - static_cast<double>(cyan)) / one * light * full)) + paper + paper +
                  text(std::floor(static_cast<double>(largest / 2) * full / one)));
      }
  }
  // With associated alpha: 4-bit inks of 3 / 6 are half of the full range, 127.5 rounded down; 128 * 255 / 255 = 128.
  CHECK(tiff_outcome({.width = 1,
                      .height = 1,
                      .bits = 4,
                      .samples = 5,
                      .photometric = 5,
                      .extra = {1},
                      .blocks = {bytes({0x30, 0x00, 0x60})}}) == "u8 rgba 128 255 255 102");
}

TEST_CASE("CIELAB in TIFF becomes sRGB") {
  const auto lab = [](unsigned photometric, unsigned bits, Bytes block) {
    return tiff_outcome({.width = 1,
                         .height = 1,
                         .bits = bits,
                         .samples = 3,
                         .photometric = photometric,
                         .blocks = {std::move(block)}});
  };
  CHECK(lab(8, 8, bytes({0, 0, 0})) == "u8 rgb 0 0 0");
  CHECK(lab(8, 8, bytes({255, 0, 0})) == "u8 rgb 255 255 255");
  CHECK(lab(9, 8, bytes({255, 128, 128})) == "u8 rgb 255 255 255");  // ICCLab: a* and b* have an offset
  CHECK(lab(8, 16, numbers(false, 2, {65535, 0, 0})) == "u16 rgb 65535 65535 65535");
  // ICCLab of 16 bits: L* is 100 at 0xff00, and at larger values.
  CHECK(lab(9, 16, numbers(false, 2, {0xff00, 0x8000, 0x8000})) == "u16 rgb 65535 65535 65535");
  CHECK(lab(9, 16, numbers(false, 2, {0xffff, 0x8000, 0x8000})) == "u16 rgb 65535 65535 65535");
  CHECK(lab(9, 16, numbers(false, 2, {0, 0x8000, 0x8000})) == "u16 rgb 0 0 0");
  // L* = 50.2 of either encoding: 128 * 256 / 652.8 and 128 / 2.55.
  const std::string deep = lab(9, 16, numbers(false, 2, {0x8000, 0x8000, 0x8000})),
                    flat = lab(9, 8, bytes({128, 128, 128}));
  CHECK(std::lround(std::stod(deep.substr(8)) / 257) == std::stol(flat.substr(7)));
  // The sRGB primaries in L*a*b* (D65): red is 53.24, 80.09, 67.20; rounded to whole numbers, each channel keeps its
  // place: the errors of 0.5 in L*, a* and b* move a channel by less than 4.
  const std::string red = lab(8, 8, bytes({136, 80, 67}));
  CHECK((red == "u8 rgb 254 0 0" || red.starts_with("u8 rgb 25")));
}

TEST_CASE("alpha in TIFF: grey with alpha, and colours stored multiplied by alpha") {
  const auto pixel = [](unsigned photometric, std::uint32_t extra, std::initializer_list<int> samples) {
    return tiff_outcome({.width = 1,
                         .height = 1,
                         .samples = static_cast<unsigned>(samples.size()),
                         .photometric = photometric,
                         .extra = {extra},
                         .blocks = {bytes(samples)}});
  };
  CHECK(pixel(1, 2, {100, 128}) == "u8 grey_alpha 100 128");
  CHECK(pixel(1, 0, {100, 128}) == "u8 grey_alpha 100 128");
  CHECK(pixel(0, 2, {100, 128}) == "u8 grey_alpha 155 128");  // white is 0; alpha is not inverted
  // C * 255 / alpha, rounded down: 100 * 255 / 128 = 199.2, 50 * 255 / 128 = 99.6, 1 * 255 / 2 = 127.5.
  CHECK(pixel(1, 1, {100, 128}) == "u8 grey_alpha 199 128");
  CHECK(pixel(2, 1, {100, 50, 20, 128}) == "u8 rgba 199 99 39 128");
  CHECK(pixel(2, 1, {1, 0, 2, 2}) == "u8 rgba 127 0 255 2");
  CHECK(pixel(2, 1, {200, 5, 0, 100}) == "u8 rgba 255 12 0 100");  // at most the maximum; 12.75
  CHECK(pixel(2, 1, {9, 9, 9, 0}) == "u8 rgba 0 0 0 0");
  CHECK(pixel(2, 1, {7, 8, 9, 255}) == "u8 rgba 7 8 9 255");
  for (const bool big : {false, true}) {
    const auto deep = [big](unsigned bits, unsigned format, Bytes block) {
      return tiff_outcome({.big_endian = big,
                           .width = 1,
                           .height = 1,
                           .bits = bits,
                           .samples = 4,
                           .photometric = 2,
                           .sample_format = format,
                           .extra = {1},
                           .blocks = {std::move(block)}});
    };
    // 100 * 65535 / 200 = 32767.5.
    CHECK(deep(16, 1, numbers(big, 2, {100, 200, 7, 200})) == "u16 rgba 32767 65535 2293 200");
    CHECK(deep(32, 3, numbers(big, 4, {0x3f800000, 0x40000000, 0, 0x3f000000})) == "f32 rgba 2 4 0 0.5");
    CHECK(deep(32, 3, numbers(big, 4, {0x3f800000, 0x40000000, 0, 0})) == "f32 rgba 0 0 0 0");
    CHECK(deep(16, 3, numbers(big, 2, {0x3c00, 0x4000, 0, 0x3800})) == "f32 rgba 2 4 0 0.5");
  }
  // 4 bits: the ratio 3 / 6 of the samples is that of the picture.
  CHECK(tiff_outcome({.width = 1, .height = 1, .bits = 4, .samples = 2, .extra = {1}, .blocks = {bytes({0x36})}}) ==
        "u8 grey_alpha 127 102");
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

TEST_CASE("tiled and striped TIFF of every orientation are the same pictures") {
  struct Kind {
    unsigned photometric, samples;
    bool planar;
  };
  constexpr std::uint32_t kWidth = 40, kHeight = 20, kTile = 16;
  for (const Kind& kind : {Kind{1, 1, false}, {0, 1, false}, {2, 3, false}, {2, 3, true}, {2, 4, false}, {5, 4, false}})
    for (std::uint32_t orientation = 1; orientation <= 8; ++orientation) {
      CAPTURE(kind.photometric);
      CAPTURE(kind.samples);
      CAPTURE(kind.planar);
      CAPTURE(orientation);
      const auto sample = [](std::uint32_t x, std::uint32_t y, std::uint32_t c) {
        return static_cast<std::uint8_t>(7 * x + 11 * y + 50 * c);
      };
      TiffParts strips{.width = kWidth,
                       .height = kHeight,
                       .samples = kind.samples,
                       .photometric = kind.photometric,
                       .orientation = orientation,
                       .planar = kind.planar,
                       .blocks = {}};
      TiffParts tiles = strips;
      tiles.tile = kTile;
      const std::uint32_t planes = kind.planar ? kind.samples : 1, in_block = kind.planar ? 1 : kind.samples;
      for (std::uint32_t plane = 0; plane < planes; ++plane) {
        ByteWriter strip;
        for (std::uint32_t y = 0; y < kHeight; ++y)
          for (std::uint32_t x = 0; x < kWidth; ++x)
            for (std::uint32_t c = 0; c < in_block; ++c) strip.u8(sample(x, y, plane + c));
        strips.blocks.push_back(strip.bytes());
        for (std::uint32_t top = 0; top < kHeight; top += kTile)
          for (std::uint32_t left = 0; left < kWidth; left += kTile) {
            ByteWriter tile;
            for (std::uint32_t i = 0; i < kTile * kTile; ++i)
              for (std::uint32_t c = 0; c < in_block; ++c)
                tile.u8(sample(left + i % kTile, top + i / kTile, plane + c));
            tiles.blocks.push_back(tile.bytes());
          }
      }
      const std::string expected = tiff_outcome(strips);
      CHECK(tiff_outcome(tiles) == expected);
      // The first pixel of the upright picture is one of the corners of the stored one.
      const bool bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
      const bool right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
      if (kind.photometric == 1)
        CHECK(expected.starts_with("u8 grey " +
                                   std::to_string(sample(right ? kWidth - 1 : 0, bottom ? kHeight - 1 : 0, 0)) + " "));
    }
}

TEST_CASE("the size of a single uncompressed strip may be missing") {
  Bytes file = tiff_file({.width = 2, .height = 2, .directory_first = true, .blocks = {bytes({1, 2, 3, 4})}});
  // Turns StripByteCounts (279) into an unknown tag.
  const Bytes entry = ByteWriter().u16(279).u16(4).u32(1).bytes();
  const auto at = std::search(file.begin(), file.end(), entry.begin(), entry.end());
  REQUIRE(at != file.end());
  at[0] = std::byte{0xe8}, at[1] = std::byte{0xfd};
  CHECK(outcome(file) == "u8 grey 1 2 3 4");
  file.pop_back();
  CHECK(outcome(file) == "damaged or truncated TIFF (pixels that the file does not contain)");
}

TEST_CASE("refusals of TIFF name what cannot be read") {
  CHECK(tiff_outcome(
            {.width = 1, .height = 1, .samples = 4, .photometric = 5, .more = {{332, 3, {2}}}, .blocks = {Bytes(4)}}) ==
        "a TIFF of other inks than cyan, magenta, yellow and black (InkSet 2) cannot be read; convert it, for example "
        "to RGB");
  std::vector<TiffEntry> many;
  for (unsigned tag = 40000; many.size() < 4096; ++tag) many.push_back({tag, 4, {1}});
  const auto with = [&](std::size_t entries) {
    // tiff_file() writes 9 tags of its own.
    return tiff_outcome({.width = 1,
                         .height = 1,
                         .more = {many.begin(), many.begin() + static_cast<std::ptrdiff_t>(entries - 9)},
                         .blocks = {bytes({7})}});
  };
  CHECK(with(4096) == "u8 grey 7");
  CHECK(with(4097) == "a TIFF with 4097 tags cannot be read (at most 4096 can); convert it");
}

TEST_CASE("TIFF layouts that are not pictures are refused") {
  CHECK(tiff_outcome({.width = 1, .height = 1, .samples = 5, .photometric = 2, .blocks = {Bytes(5)}}) ==
        "a TIFF of 5 sample(s) of 8 bits (unsigned), photometric interpretation 2 cannot be read; convert it, for "
        "example to 16-bit RGB");
  const auto refused = [](TiffParts parts) {
    return tiff_outcome(parts).find(" cannot be read; convert it") != std::string::npos;
  };
  CHECK(refused({.width = 1, .height = 1, .bits = 17, .blocks = {Bytes(3)}}));
  CHECK(refused({.width = 1, .height = 1, .bits = 24, .sample_format = 3, .blocks = {Bytes(3)}}));
  CHECK(refused({.width = 1, .height = 1, .bits = 32, .sample_format = 5, .blocks = {Bytes(4)}}));  // complex
  CHECK(refused({.width = 1, .height = 1, .photometric = 0, .sample_format = 2, .blocks = {Bytes(1)}}));
  CHECK(refused({.width = 1, .height = 1, .samples = 3, .blocks = {Bytes(3)}}));
  CHECK(refused({.width = 1, .height = 1, .photometric = 4, .blocks = {Bytes(1)}}));  // a transparency mask
  CHECK(refused({.width = 1, .height = 1, .samples = 3, .photometric = 32845, .blocks = {Bytes(12)}}));
}
