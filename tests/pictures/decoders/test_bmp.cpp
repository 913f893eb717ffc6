// BMP of every kind: header versions, palettes, run lengths, channel masks, directions, damage.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "pictures/outcome.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

struct Parts {
  std::uint32_t header = 40;  ///< its size in bytes: 12 OS/2 1.x, 16 to 64 OS/2 2.x, 40, 52, 56, 108 and 124 Windows
  std::int32_t width = 0, height = 1;
  unsigned bits = 24, compression = 0, colours = 0;
  std::vector<std::uint32_t> masks = {};  ///< in headers from 52 bytes on, otherwise after the header
  Bytes palette = {};
  Bytes pixels = {};
};

Bytes bmp_bytes(const Parts& parts) {
  ByteWriter info;
  info.u32(parts.header);
  const auto width = static_cast<std::uint32_t>(parts.width), height = static_cast<std::uint32_t>(parts.height);
  parts.header == 12 ? info.u16(width).u16(height) : info.u32(width).u32(height);
  info.u16(1).u16(parts.bits).u32(parts.compression).u32(parts.pixels.size()).u32(0).u32(0).u32(parts.colours).u32(0);
  Bytes head = info.bytes();
  head.resize(std::min<std::size_t>(parts.header, 40));
  ByteWriter body;
  body.append(head);
  for (const std::uint32_t mask : parts.masks) body.u32(mask);
  while (body.size() < parts.header) body.u8(0);
  body.append(parts.palette);
  const std::size_t offset = 14 + body.size();
  ByteWriter file;
  file.text("BM").u32(offset + parts.pixels.size()).u32(0).u32(offset);
  return file.append(body.bytes()).append(parts.pixels).bytes();
}

std::string bmp(const Parts& parts) { return outcome(bmp_bytes(parts)); }

/// Greys 0, 10, 20, ... for indices, so that a picture of indices decodes to ten times its values.
Bytes tens(int count) {
  ByteWriter palette;
  for (int i = 0; i < count; ++i) {
    const auto grey = static_cast<unsigned>(10 * i);
    palette.u8(grey).u8(grey).u8(grey).u8(0);
  }
  return palette.bytes();
}

/// A picture in run lengths, `bits` 4 or 8, decoded.
std::string runs(int bits, int width, int height, std::initializer_list<int> codes) {
  return bmp({.width = width,
              .height = height,
              .bits = static_cast<unsigned>(bits),
              .compression = bits == 8 ? 1u : 2u,
              .colours = 16,
              .palette = tens(16),
              .pixels = bytes(codes)});
}

const std::string kTooEarly = "damaged or truncated BMP (it ends too early)";

}  // namespace

TEST_CASE("BMP of 24 bits, from the bottom up and from the top down") {
  CHECK(bmp({.width = 1, .height = 2, .pixels = bytes({1, 2, 3, 0, 4, 5, 6, 0})}) == "u8 rgb 6 5 4 3 2 1");
  CHECK(bmp({.width = 1, .height = -2, .pixels = bytes({1, 2, 3, 0, 4, 5, 6, 0})}) == "u8 rgb 3 2 1 6 5 4");
}

TEST_CASE("BMP palettes of 1, 2, 4 and 8 bits; one of greys becomes grey") {
  const Bytes colours = bytes({1, 2, 3, 0, 5, 6, 7, 0});
  CHECK(bmp({.width = 3, .bits = 1, .colours = 2, .palette = colours, .pixels = bytes({0x40, 0, 0, 0})}) ==
        "u8 rgb 3 2 1 7 6 5 3 2 1");
  CHECK(bmp({.width = 5, .bits = 2, .palette = tens(4), .pixels = bytes({0x1b, 0x80, 0, 0})}) ==
        "u8 grey 0 10 20 30 20");
  CHECK(bmp({.width = 3, .bits = 4, .palette = tens(16), .pixels = bytes({0x1f, 0xa0, 0, 0})}) == "u8 grey 10 150 100");
  CHECK(bmp({.width = 3,
             .bits = 8,
             .colours = 2,
             .palette = bytes({1, 1, 1, 0, 5, 5, 5, 0}),
             .pixels = bytes({0, 1, 1, 0})}) == "u8 grey 1 5 5");
  // Indices without a colour are black.
  CHECK(bmp({.width = 2, .bits = 8, .colours = 2, .palette = colours, .pixels = bytes({1, 2, 0, 0})}) ==
        "u8 rgb 7 6 5 0 0 0");
}

TEST_CASE("BMP headers of OS/2 and Windows, of every length") {
  const Bytes row = bytes({1, 2, 3, 0});
  CHECK(bmp({.header = 12, .width = 1, .pixels = row}) == "u8 rgb 3 2 1");
  for (std::uint32_t header = 16; header <= 124; header += 4) {
    CAPTURE(header);
    CHECK(bmp({.header = header, .width = 1, .pixels = row}) == "u8 rgb 3 2 1");
    CHECK(bmp({.header = header, .width = 2, .bits = 4, .palette = tens(16), .pixels = bytes({0x1f, 0, 0, 0})}) ==
          "u8 grey 10 150");
  }
  // OS/2 1.x has three bytes per colour, and the depth gives their number. Some files have fewer.
  const Bytes palette = bytes({1, 2, 3, 5, 6, 7});
  CHECK(bmp({.header = 12, .width = 2, .bits = 1, .palette = palette, .pixels = bytes({0x40, 0, 0, 0})}) ==
        "u8 rgb 3 2 1 7 6 5");
  CHECK(bmp({.header = 12, .width = 2, .bits = 8, .palette = palette, .pixels = bytes({1, 0, 0, 0})}) ==
        "u8 rgb 7 6 5 3 2 1");
  CHECK(bmp({.header = 64,
             .width = 3,
             .bits = 8,
             .compression = 1,
             .palette = tens(256),
             .pixels = bytes({3, 7, 0, 1})}) == "u8 grey 70 70 70");
}

TEST_CASE("BMP of 16 bits: 555 without masks, and any masks, in every header") {
  const Bytes white_red_green_blue = bytes({0xff, 0x7f, 0x00, 0x7c, 0xe0, 0x03, 0x1f, 0x00});
  CHECK(bmp({.width = 4, .bits = 16, .pixels = white_red_green_blue}) == "u8 rgb 255 255 255 255 0 0 0 255 0 0 0 255");
  for (const std::uint32_t header : {40u, 52u, 56u, 64u, 108u, 124u}) {
    CAPTURE(header);
    const auto fields = [&](std::vector<std::uint32_t> masks, unsigned pixel) {
      return bmp({.header = header,
                  .width = 1,
                  .bits = 16,
                  .compression = 3,
                  .masks = std::move(masks),
                  .pixels = ByteWriter().u16(pixel).u16(0).bytes()});
    };
    CHECK(fields({0xf800, 0x7e0, 0x1f}, 0x8410) == "u8 rgb 132 130 132");  // 16/31, 32/63, 16/31 of 255
    CHECK(fields({0xf800, 0x7e0, 0x1f}, 0xffff) == "u8 rgb 255 255 255");
    CHECK(fields({0x7c00, 0x3e0, 0x1f}, 0x7fff) == "u8 rgb 255 255 255");
    CHECK(fields({0xf00, 0xf0, 0xf}, 0x1a8) == "u8 rgb 17 170 136");
    CHECK(fields({0x7, 0xf8, 0xff00}, 0x80fc) == "u8 rgb 146 255 128");     // 4/7
    CHECK(fields({0x8000, 0x4000, 0x3fff}, 0x9fff) == "u8 rgb 255 0 127");  // 1 bit each; 8191/16383
    if (header >= 56) CHECK(fields({0xf00, 0xf0, 0xf, 0xf000}, 0x31a8) == "u8 rgba 17 170 136 51");
  }
  // Compression 6 has the alpha mask in short headers too.
  CHECK(bmp({.width = 1,
             .bits = 16,
             .compression = 6,
             .masks = {0xf00, 0xf0, 0xf, 0xf000},
             .pixels = bytes({0xa8, 0x31, 0, 0})}) == "u8 rgba 17 170 136 51");
}

TEST_CASE("every value of a field of 1 to 12 bits is rounded to the nearest of 255") {
  for (unsigned width = 1; width <= 12; ++width) {
    const std::uint32_t most = (1u << width) - 1;
    CAPTURE(width);
    ByteWriter pixels;
    std::string expected = "u8 rgb";
    for (std::uint32_t i = 0; i < 16; ++i) {
      const std::uint32_t value = most * i / 15;
      pixels.u32(value << 9);
      expected += " 0 " + std::to_string(std::lround(255.0 * value / most)) + " 0";
    }
    CHECK(bmp({.header = 108,
               .width = 16,
               .bits = 32,
               .compression = 3,
               .masks = {0x1, most << 9, 0x80000000},
               .pixels = pixels.bytes()}) == expected);
  }
}

TEST_CASE("BMP of 32 bits: the fourth byte, and any masks") {
  const Bytes pixel = bytes({1, 2, 3, 9});
  CHECK(bmp({.width = 1, .bits = 32, .pixels = pixel}) == "u8 rgb 3 2 1");
  const auto fields = [&](std::uint32_t header, std::vector<std::uint32_t> masks, unsigned compression = 3) {
    return bmp({.header = header,
                .width = 1,
                .bits = 32,
                .compression = compression,
                .masks = std::move(masks),
                .pixels = pixel});
  };
  for (const std::uint32_t header : {56u, 108u, 124u}) {
    CAPTURE(header);
    CHECK(fields(header, {0xff0000, 0xff00, 0xff, 0xff000000}) == "u8 rgba 3 2 1 9");
    CHECK(fields(header, {0xff, 0xff00, 0xff0000, 0xff000000}) == "u8 rgba 1 2 3 9");
    CHECK(fields(header, {0xff0000, 0xff00, 0xff, 0}) == "u8 rgb 3 2 1");
    CHECK(fields(header, {0xff000000, 0xff0000, 0xff00}) == "u8 rgb 9 3 2");
    CHECK(fields(header, {0x3ff00000, 0xffc00, 0x3ff, 0}) == "u8 rgb 36 48 128");  // 144, 192, 513 of 1023
    CHECK(fields(header, {0, 0xff00, 0, 0}) == "u8 rgb 0 2 0");
  }
  CHECK(fields(40, {0xff, 0xff00, 0xff0000}) == "u8 rgb 1 2 3");
  CHECK(fields(52, {0xff, 0xff00, 0xff0000}) == "u8 rgb 1 2 3");
  CHECK(fields(40, {0xff, 0xff00, 0xff0000, 0xff000000}, 6) == "u8 rgba 1 2 3 9");
  CHECK(fields(40, {0, 0, 0}) == "u8 rgb 3 2 1");
  CHECK(fields(108, {0xff, 0xff00, 0xff0000, 0xff000000}, 0) == "u8 rgb 3 2 1");  // masks do not count
}

TEST_CASE("run lengths of 8 and 4 bits: runs, literals, moves, from the bottom up") {
  // Two rows: a run of 3 and a literal of 3, padded to 16 bits.
  CHECK(runs(8, 6, 2, {3, 1, 0, 3, 2, 3, 4, 0, 0, 0, 6, 5, 0, 1}) == "u8 grey 50 50 50 50 50 50 10 10 10 20 30 40");
  CHECK(runs(4, 6, 2, {3, 0x12, 0, 3, 0x34, 0x50, 0, 0, 6, 0x67, 0, 1}) ==
        "u8 grey 60 70 60 70 60 70 10 20 10 30 40 50");
  // An odd literal of RLE4 has half a byte to spare, and is padded.
  CHECK(runs(4, 5, 1, {0, 5, 0x12, 0x34, 0x50, 0, 0, 1}) == "u8 grey 10 20 30 40 50");
  // A move to the right and up leaves index 0 behind.
  for (const int bits : {8, 4}) {
    const int one = bits == 8 ? 1 : 0x11, two = bits == 8 ? 2 : 0x22;
    CHECK(runs(bits, 3, 3, {1, one, 0, 2, 1, 1, 1, two, 0, 1}) == "u8 grey 0 0 0 0 0 20 10 0 0");
    CHECK(runs(bits, 2, 3, {0, 0, 0, 0, 2, one, 0, 1}) == "u8 grey 10 10 0 0 0 0");  // two empty rows
  }
  Bytes top_down = bmp_bytes({.width = 1, .height = -2, .bits = 8, .compression = 1, .palette = tens(256)});
  CHECK(outcome(ByteWriter().append(top_down).append(bytes({1, 1, 0, 0, 1, 2, 0, 1})).bytes()) == "u8 grey 10 20");
}

TEST_CASE("run lengths that pass the end of a row are clipped there") {
  for (const int bits : {8, 4}) {
    CAPTURE(bits);
    const int one = bits == 8 ? 1 : 0x11, two = bits == 8 ? 2 : 0x22;
    CHECK(runs(bits, 3, 2, {5, one, 0, 0, 3, two, 0, 1}) == "u8 grey 20 20 20 10 10 10");           // one run
    CHECK(runs(bits, 3, 2, {3, one, 1, two, 0, 0, 3, two, 0, 1}) == "u8 grey 20 20 20 10 10 10");   // one more run
    CHECK(runs(bits, 3, 2, {5, one, 0, 0, 0, 1}) == "u8 grey 0 0 0 10 10 10");                      // not the next row
    CHECK(runs(bits, 3, 2, {0, 2, 9, 0, 1, one, 0, 0, 3, two, 0, 1}) == "u8 grey 20 20 20 0 0 0");  // after a move
    CHECK(runs(bits, 1, 1, {1, one, 0, 0, 9, two, 0, 0, 9, two, 0, 1}) == "u8 grey 10");            // past the last row
  }
  CHECK(runs(8, 3, 2, {0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 3, 9, 0, 1}) == "u8 grey 90 90 90 10 20 30");
  CHECK(runs(4, 3, 2, {0, 5, 0x12, 0x34, 0x50, 0, 0, 0, 3, 0x99, 0, 1}) == "u8 grey 90 90 90 10 20 30");
}

TEST_CASE("run lengths without ends of rows continue in the next row") {
  CHECK(runs(8, 3, 2, {2, 1, 4, 2, 0, 1}) == "u8 grey 20 20 20 10 10 20");
  CHECK(runs(4, 3, 2, {2, 0x11, 4, 0x23, 0, 1}) == "u8 grey 30 20 30 10 10 20");
}

TEST_CASE("an early end of bitmap leaves index 0") {
  for (const int bits : {8, 4}) {
    const int one = bits == 8 ? 1 : 0x11;
    CHECK(runs(bits, 2, 2, {0, 1}) == "u8 grey 0 0 0 0");
    CHECK(runs(bits, 2, 2, {1, one, 0, 1}) == "u8 grey 0 0 10 0");
    CHECK(runs(bits, 2, 3, {2, one, 0, 0, 1, one, 0, 1}) == "u8 grey 0 0 10 0 10 10");
  }
  // Index 0 need not be black.
  CHECK(bmp({.width = 2,
             .bits = 8,
             .compression = 1,
             .colours = 2,
             .palette = bytes({7, 7, 7, 0, 1, 1, 1, 0}),
             .pixels = bytes({1, 1, 0, 1})}) == "u8 grey 1 7");
}

TEST_CASE("run lengths that end before the end of bitmap and before the last pixel are truncated") {
  CHECK(runs(8, 2, 2, {2, 1, 0, 0, 2, 2}) == "u8 grey 20 20 10 10");  // complete without an end
  CHECK(runs(8, 2, 2, {2, 1, 0, 0, 1, 2}) == kTooEarly);
  CHECK(runs(8, 2, 2, {2, 1, 0, 0}) == kTooEarly);
  CHECK(runs(8, 2, 2, {2, 1, 0}) == kTooEarly);
  CHECK(runs(8, 4, 1, {0, 4, 1, 2, 3}) == kTooEarly);
  CHECK(runs(4, 8, 1, {0, 8, 1, 2, 3}) == kTooEarly);
  CHECK(runs(8, 4, 2, {0, 2, 1}) == kTooEarly);
  CHECK(runs(8, 2, 2, {}) == kTooEarly);
}

TEST_CASE("a BMP without some of its bytes is truncated, except for padding after its last row") {
  struct Kind {
    unsigned bits;
    int width;
    std::size_t row, padded;
  };
  for (const Kind& kind :
       {Kind{1, 9, 2, 4}, {2, 5, 2, 4}, {4, 3, 2, 4}, {8, 5, 5, 8}, {16, 3, 6, 8}, {24, 3, 9, 12}, {32, 3, 12, 12}}) {
    CAPTURE(kind.bits);
    const Bytes whole = bmp_bytes({.width = kind.width,
                                   .height = 3,
                                   .bits = kind.bits,
                                   .palette = kind.bits <= 8 ? tens(1 << kind.bits) : Bytes(),
                                   .pixels = Bytes(3 * kind.padded)});
    const std::size_t needed = whole.size() - kind.padded + kind.row;
    CHECK(outcome(std::span(whole).first(needed)) == outcome(whole));
    for (std::size_t length = 14; length < needed; ++length)
      REQUIRE(outcome(std::span(whole).first(length)) == kTooEarly);
  }
}

TEST_CASE("kinds of BMP that are not read are named") {
  const auto refused = [](std::uint32_t header, unsigned bits, unsigned compression) {
    const std::string text =
        bmp({.header = header, .width = 1, .bits = bits, .compression = compression, .pixels = Bytes(99)});
    const std::string begin = "a BMP with ", end = " cannot be read; convert it to PNG";
    REQUIRE((text.starts_with(begin) && text.ends_with(end)));
    return text.substr(begin.size(), text.size() - begin.size() - end.size());
  };
  CHECK(refused(40, 0, 4) == "an embedded JPEG");
  CHECK(refused(124, 0, 5) == "an embedded PNG");
  CHECK(refused(64, 1, 3) == "Huffman compression");
  CHECK(refused(64, 24, 4) == "run lengths of 24 bits");
  CHECK(refused(40, 64, 0) == "64 bits per pixel and compression 0");
  CHECK(refused(40, 3, 0) == "3 bits per pixel and compression 0");
  CHECK(refused(40, 4, 1) == "4 bits per pixel and compression 1");
  CHECK(refused(40, 24, 3) == "24 bits per pixel and compression 3");
  CHECK(refused(40, 8, 13) == "8 bits per pixel and compression 13");
}

TEST_CASE("BMP headers that contradict themselves") {
  const auto fields = [](std::vector<std::uint32_t> masks, unsigned bits = 32) {
    return bmp({.width = 1, .bits = bits, .compression = 3, .masks = std::move(masks), .pixels = Bytes(4)});
  };
  const std::string wrong_mask = "damaged or truncated BMP (a channel mask that is not a row of bits in a pixel)";
  CHECK(fields({0xf0f, 0xf0, 0xf000}) == wrong_mask);
  CHECK(fields({0x10000, 0xf0, 0xf000}, 16) == wrong_mask);
  CHECK(bmp({.header = 13, .width = 1, .pixels = Bytes(4)}) == "damaged or truncated BMP (a header of 13 bytes)");
  CHECK(bmp({.width = -1, .pixels = Bytes(4)}) == "damaged or truncated BMP (a negative width)");
  Bytes file = bmp_bytes({.width = 1, .pixels = bytes({1, 2, 3, 0})});
  file[10] = std::byte{53};
  CHECK(outcome(file) == "damaged or truncated BMP (pixels that begin in its header)");
  file[10] = std::byte{0};  // no position: right after the header
  CHECK(outcome(file) == "u8 rgb 3 2 1");
}
