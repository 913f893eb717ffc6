// Pictures with an EXIF orientation are decoded upright, in every format and byte order.
#include <doctest/doctest.h>

#include <cctype>
#include <cmath>
#include <string>
#include <vector>

#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/headers/exif.h"
#include "pictures/image_header.h"
#include "pictures/pixel_values.h"
#include "support/picture_bytes.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

/// The sides of the upright picture on which the stored first row and first column lie, as the standard puts it.
struct Sides {
  char row, column;  // t, b, l, r
};
constexpr Sides kSides[] = {{'t', 'l'}, {'t', 'r'}, {'b', 'r'}, {'b', 'l'},
                            {'l', 't'}, {'r', 't'}, {'r', 'b'}, {'l', 'b'}};

constexpr std::int64_t kStoredHeight = 2, kStoredWidth = 3;

/// The upright pixels of the stored 0 1 2 / 10 11 12, times `scale`.
std::vector<double> upright(int orientation, double scale) {
  const Sides sides = kSides[orientation - 1];
  const bool turned = orientation > 4;
  const std::int64_t h = turned ? kStoredWidth : kStoredHeight, w = turned ? kStoredHeight : kStoredWidth;
  std::vector<double> pixels(static_cast<std::size_t>(h * w));
  for (std::int64_t r = 0; r < kStoredHeight; ++r)
    for (std::int64_t c = 0; c < kStoredWidth; ++c) {
      std::int64_t y = 0, x = 0;
      const auto place = [&](char side, std::int64_t index) {
        if (side == 't') y = index;
        if (side == 'b') y = h - 1 - index;
        if (side == 'l') x = index;
        if (side == 'r') x = w - 1 - index;
      };
      place(sides.row, r);
      place(sides.column, c);
      pixels[static_cast<std::size_t>(y * w + x)] = scale * static_cast<double>(10 * r + c);
    }
  return pixels;
}

Bytes exif(int orientation, bool big_endian, bool prefixed) {
  ByteWriter block(big_endian);
  if (prefixed) block.text("Exif").u8(0).u8(0);
  block.text(big_endian ? "MM" : "II").u16(42).u32(8).u16(2);
  block.u16(256).u16(4).u32(1).u32(kStoredWidth);                                    // another tag first
  block.u16(274).u16(3).u32(1).u16(static_cast<std::uint64_t>(orientation)).u16(0);  // Orientation, a SHORT
  return block.u32(0).bytes();
}

Bytes concatenated(std::initializer_list<std::span<const std::byte>> parts) {
  ByteWriter all;
  for (const auto part : parts) all.append(part);
  return all.bytes();
}

Bytes png(std::span<const std::byte> block, bool after_pixels) {
  ByteWriter header(true);
  header.u32(kStoredWidth).u32(kStoredHeight).u8(8).u8(0).u8(0).u8(0).u8(0);
  const Bytes rows = ByteWriter().u8(0).u8(0).u8(1).u8(2).u8(0).u8(10).u8(11).u8(12).bytes();
  const Bytes exif_chunk = png_chunk("eXIf", block), pixels = png_chunk("IDAT", zlib_stored(rows));
  return concatenated({ByteWriter().u8(0x89).text("PNG\r\n\x1a\n").bytes(), png_chunk("IHDR", header.bytes()),
                       after_pixels ? pixels : exif_chunk, after_pixels ? exif_chunk : pixels, png_chunk("IEND", {})});
}

/// A picture of flat 16x16 blocks, which JPEG stores accurately: 0, 20, 40 above 200, 220, 240.
Image blocks() {
  const Image image(DType::u8, PixelFormat::grey, 16 * kStoredHeight, 16 * kStoredWidth);
  const auto view = image.all().view<std::uint8_t>();
  for (std::int64_t y = 0; y < view.shape.h; ++y)
    for (std::int64_t x = 0; x < view.shape.w; ++x)
      view.at(0, 0, y, x) = static_cast<std::uint8_t>(20 * (10 * (y / 16) + x / 16));
  return image;
}

std::vector<double> block_centres(const Image& image) {
  const auto view = image.all().view<std::uint8_t>();
  std::vector<double> centres;
  for (std::int64_t y = 8; y < view.shape.h; y += 16)
    for (std::int64_t x = 8; x < view.shape.w; x += 16) centres.push_back(view.at(0, 0, y, x));
  return centres;
}

}  // namespace

TEST_CASE("PNG with an eXIf chunk, before or after its pixels") {
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const bool big_endian : {false, true})
      for (const bool after : {false, true}) {
        CAPTURE(orientation);
        const Image image = decode_image(png(exif(orientation, big_endian, false), after), 100);
        CHECK(image.all().shape.h == (orientation > 4 ? kStoredWidth : kStoredHeight));
        CHECK(values(image.all()) == upright(orientation, 1));
      }
}

namespace {

/// "Raw profile type NAME" as ImageMagick writes it: the length, and lines of 72 digits.
std::string raw_profile(const std::string& name, std::span<const std::byte> block) {
  std::string text = "\n" + name + "\n" + std::string(6, ' ') + std::to_string(block.size());
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (i % 36 == 0) text += "\n";
    for (const unsigned digit : {std::to_integer<unsigned>(block[i]) >> 4, std::to_integer<unsigned>(block[i]) & 15u})
      text += "0123456789abcdef"[digit];
  }
  return text + "\n";
}

/// A text chunk of this type and keyword; zTXt and iTXt compressed if `compressed`.
Bytes text_chunk(const std::string& type, const std::string& keyword, const std::string& text, bool compressed) {
  ByteWriter chunk;
  chunk.text(keyword).u8(0);
  if (type == "zTXt") chunk.u8(0);
  if (type == "iTXt") chunk.u8(compressed ? 1 : 0).u8(0).text("en").u8(0).text("Profil").u8(0);
  return png_chunk(type, compressed ? chunk.append(zlib_stored(to_bytes(text))).bytes() : chunk.text(text).bytes());
}

/// The picture of png() with `chunk` before or after its pixels.
Bytes png_with(const Bytes& chunk, bool after_pixels) {
  const Bytes plain = png({}, true);
  const std::size_t at = after_pixels ? plain.size() - 12 : 8 + 25;  // before IEND, after IHDR
  return concatenated({std::span(plain).first(at), chunk, std::span(plain).subspan(at)});
}

}  // namespace

TEST_CASE("PNG with EXIF in a text chunk, as programs wrote it before there was eXIf") {
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const std::string name : {"exif", "APP1"})
      for (const auto& kind :
           {std::pair<std::string, bool>{"tEXt", false}, {"zTXt", true}, {"iTXt", false}, {"iTXt", true}})
        for (const bool after : {false, true}) {
          const std::string type = kind.first;
          const bool compressed = kind.second;
          CAPTURE(orientation);
          CAPTURE(name);
          CAPTURE(type);
          CAPTURE(compressed);
          const std::string text = raw_profile(name, exif(orientation, orientation % 2 == 0, true));
          const Bytes chunk = text_chunk(type, "Raw profile type " + name, text, compressed);
          CHECK(values(decode_image(png_with(chunk, after), 100).all()) == upright(orientation, 1));
        }
  const auto orientation_of = [](const Bytes& chunk) {
    return static_cast<int>(read_picture_header(png_with(chunk, false)).orientation);
  };
  const std::string six = raw_profile("exif", exif(6, true, true));
  CHECK(orientation_of(text_chunk("tEXt", "Raw profile type exif", six, false)) == 6);
  std::string capitals = six;
  for (char& c : capitals) c = static_cast<char>(std::toupper(c));
  CHECK(orientation_of(text_chunk("tEXt", "Raw profile type exif", capitals, false)) == 6);
  CHECK(orientation_of(text_chunk("tEXt", "Raw profile type iptc", six, false)) == 1);
  CHECK(orientation_of(text_chunk("tEXt", "Comment", six, false)) == 1);
  // Damaged text is not a reason to reject a picture.
  for (std::size_t length = 0; length < six.size(); ++length)
    CHECK(orientation_of(text_chunk("tEXt", "Raw profile type exif", six.substr(0, length), false)) <= 6);
  CHECK(orientation_of(text_chunk("zTXt", "Raw profile type exif", six, false)) == 1);  // not compressed
  CHECK(orientation_of(png_chunk("iTXt", to_bytes("Raw profile type exif"))) == 1);
  // Only the first such text is looked at: each could be long to decompress.
  const Bytes good = text_chunk("tEXt", "Raw profile type exif", six, false);
  CHECK(orientation_of(concatenated({text_chunk("tEXt", "Comment", "x", false), good})) == 6);
  CHECK(orientation_of(concatenated({text_chunk("tEXt", "Raw profile type exif", "", false), good})) == 1);
  // The chunk eXIf counts first.
  const Bytes both =
      concatenated({text_chunk("tEXt", "Raw profile type exif", six, false), png_chunk("eXIf", exif(3, true, false))});
  CHECK(orientation_of(both) == 3);
}

TEST_CASE("JPEG with an EXIF segment") {
  const Bytes plain = encode_image(blocks(), *find_picture_format("jpeg"));
  const std::span<const std::byte> file(plain);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const Bytes block = exif(orientation, orientation % 2 == 0, true);
    const Bytes segment = ByteWriter(true).u8(0xff).u8(0xe1).u16(block.size() + 2).append(block).bytes();
    const Image image = decode_image(concatenated({file.first(2), segment, file.subspan(2)}), 10000);
    const std::vector<double> seen = block_centres(image), wanted = upright(orientation, 20);
    REQUIRE(seen.size() == wanted.size());
    // At quality 95 the sum of the 64 values of a flat block is stored in steps of 16: the error is at most an eighth
    // of a level, then comes rounding.
    for (std::size_t i = 0; i < seen.size(); ++i) CHECK(std::fabs(seen[i] - wanted[i]) <= 1);
  }
}

TEST_CASE("WebP with an EXIF chunk, with and without a prefix") {
  const Bytes plain = encode_image(blocks(), *find_picture_format("webp"));
  const std::span<const std::byte> pixels = std::span(plain).subspan(12);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const Bytes block = exif(orientation, orientation % 2 == 0, orientation > 4);
    ByteWriter body;
    body.text("WEBP").text("VP8X").u32(10).u32(0x08);
    body.u16(16 * kStoredWidth - 1).u8(0).u16(16 * kStoredHeight - 1).u8(0);
    body.append(pixels).text("EXIF").u32(block.size()).append(block);
    const Bytes file = ByteWriter().text("RIFF").u32(body.size()).append(body.bytes()).bytes();
    const Image image = decode_image(file, 10000);
    // WebP stores grey as R = G = B.
    CHECK(block_centres(image.to_luma()) == upright(orientation, 20));
  }
}

TEST_CASE("a damaged EXIF block counts as upright") {
  const Bytes good = exif(6, true, false);
  CHECK(read_exif_orientation(good) == Orientation::right_top);
  for (std::size_t length = 0; length < 34; ++length)
    CHECK(read_exif_orientation(std::span(good).first(length)) == Orientation::top_left);
  for (const int wrong : {0, 9, 65535}) CHECK(read_exif_orientation(exif(wrong, false, true)) == Orientation::top_left);
  CHECK(read_exif_orientation(ByteWriter().text("Exif").bytes()) == Orientation::top_left);
  CHECK(read_exif_orientation(ByteWriter().text("II").u16(42).u32(0xfffffff0).bytes()) == Orientation::top_left);
  // Any number of prefixes takes no stack.
  ByteWriter prefixes;
  for (int i = 0; i < 1'000'000; ++i) prefixes.text("Exif").u8(0).u8(0);
  CHECK(read_exif_orientation(prefixes.bytes()) == Orientation::top_left);
  CHECK(read_exif_orientation(prefixes.append(good).bytes()) == Orientation::right_top);
}
