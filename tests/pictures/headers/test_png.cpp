// The chunks of a PNG that change its channels or describe it: sound or not, twice, out of place.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "pictures/outcome.h"
#include "support/picture_bytes.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

struct ChunkOf {
  std::string type;
  Bytes data;
  bool is_sound = true;
};

/// A picture of 2 x 1 pixels, 8 bits each, of these chunks between its header and its end; IDAT is filled in.
Bytes png_of(int colour_type, const std::vector<ChunkOf>& chunks) {
  const Bytes pixels = colour_type == 2 ? bytes({0, 1, 2, 3, 4, 5, 6}) : bytes({0, 0, 1});
  ByteWriter header(true);
  header.u32(2).u32(1).u8(8).u8(static_cast<unsigned>(colour_type)).u8(0).u8(0).u8(0);
  ByteWriter file;
  file.u8(0x89).text("PNG\r\n\x1a\n").append(png_chunk("IHDR", header.bytes()));
  for (const ChunkOf& chunk : chunks) {
    Bytes whole = png_chunk(chunk.type, chunk.type == "IDAT" ? zlib_stored(pixels) : chunk.data);
    if (!chunk.is_sound) whole.back() ^= std::byte{1};
    file.append(whole);
  }
  return file.append(png_chunk("IEND", {})).bytes();
}

const ChunkOf kPixels = {"IDAT", {}};
const ChunkOf kPalette = {"PLTE", bytes({10, 11, 12, 20, 21, 22})};
const char* const kOpaque = "u8 rgb 10 11 12 20 21 22";
const char* const kTransparent = "u8 rgba 10 11 12 128 20 21 22 255";
const char* const kBadTransparency = "damaged or truncated PNG (the checksum of its transparency is wrong)";

ChunkOf without_checksum(ChunkOf chunk) {
  chunk.is_sound = false;
  return chunk;
}

}  // namespace

TEST_CASE("a PNG whose transparency has a wrong checksum is damaged, where it would count") {
  const ChunkOf first = {"tRNS", bytes({128})}, second = {"tRNS", bytes({64})};
  CHECK(outcome(png_of(3, {kPalette, first, kPixels})) == kTransparent);
  CHECK(outcome(png_of(3, {kPalette, without_checksum(first), kPixels})) == kBadTransparency);
  CHECK(outcome(png_of(3, {kPalette, without_checksum(first), first, kPixels})) == kBadTransparency);
  // Only the first one counts.
  CHECK(outcome(png_of(3, {kPalette, first, second, kPixels})) == kTransparent);
  CHECK(outcome(png_of(3, {kPalette, first, without_checksum(second), kPixels})) == kTransparent);
  // One that libpng ignores: before the palette, after the pixels, with more entries than the palette, with none.
  for (const bool is_sound : {true, false}) {
    const ChunkOf misplaced = {"tRNS", bytes({128}), is_sound}, empty = {"tRNS", {}, is_sound},
                  long_one = {"tRNS", bytes({1, 2, 3}), is_sound};
    CHECK(outcome(png_of(3, {misplaced, kPalette, kPixels})) == kOpaque);
    CHECK(outcome(png_of(3, {kPalette, kPixels, misplaced})) == kOpaque);
    CHECK(outcome(png_of(3, {kPalette, long_one, kPixels})) == kOpaque);
    CHECK(outcome(png_of(3, {kPalette, empty, kPixels})) == kOpaque);
  }

  const ChunkOf grey = {"tRNS", bytes({0, 1})}, colour = {"tRNS", bytes({0, 1, 0, 2, 0, 3})};
  CHECK(outcome(png_of(0, {grey, kPixels})) == "u8 grey_alpha 0 255 1 0");
  CHECK(outcome(png_of(0, {without_checksum(grey), kPixels})) == kBadTransparency);
  CHECK(outcome(png_of(0, {colour, kPixels})) == "u8 grey 0 1");
  CHECK(outcome(png_of(0, {kPixels, grey})) == "u8 grey 0 1");
  CHECK(outcome(png_of(2, {colour, kPixels})) == "u8 rgba 1 2 3 0 4 5 6 255");
  CHECK(outcome(png_of(2, {without_checksum(colour), kPixels})) == kBadTransparency);
  CHECK(outcome(png_of(2, {grey, kPixels})) == "u8 rgb 1 2 3 4 5 6");
}

TEST_CASE("a palette with a wrong checksum, none, or two are damage") {
  const std::string damaged = "the PNG is damaged or truncated, or of a kind that cannot be read";
  CHECK(outcome(png_of(3, {without_checksum(kPalette), kPixels})) == damaged);
  CHECK(outcome(png_of(3, {kPalette, kPalette, kPixels})) == damaged);
  CHECK(outcome(png_of(3, {kPixels})) == "damaged or truncated PNG (no palette before its pixels)");
  CHECK(outcome(png_of(3, {kPixels, kPalette})) == "damaged or truncated PNG (no palette before its pixels)");
}

TEST_CASE("metadata of a PNG with a wrong checksum is ignored, as by libpng") {
  const Bytes right_top = ByteWriter().text("II").u16(42).u32(8).u16(1).u16(274).u16(3).u32(1).u16(6).u16(0).bytes();
  const std::string digits = "exif\n26\n49492a00080000000100120103000100000006000000";
  const ChunkOf chunks[] = {{"gAMA", bytes({0, 1, 0x86, 0xa0})},
                            {"eXIf", right_top},
                            {"tEXt", ByteWriter().text("Raw profile type exif").u8(0).text("\n" + digits).bytes()},
                            {"acTL", bytes({0, 0, 0, 9, 0, 0, 0, 0})},
                            {"sRGB", bytes({0})}};
  const auto properties = [](const Bytes& file) {
    const PictureHeader header = read_picture_header(file);
    return std::string(header.has_gamma ? "gamma " : "") + (header.is_transposed() ? "turned " : "") +
           std::to_string(header.pages);
  };
  const char* const expected[] = {"gamma 1", "turned 1", "turned 1", "9", "1"};
  for (std::size_t i = 0; i < std::size(chunks); ++i) {
    CAPTURE(chunks[i].type);
    const Bytes sound = png_of(0, {chunks[i], kPixels}), unsound = png_of(0, {without_checksum(chunks[i]), kPixels});
    CHECK(properties(sound) == expected[i]);
    CHECK(properties(unsound) == "1");
    CHECK(outcome(unsound) == "u8 grey 0 1");
    // One that is sound counts although one before it is not.
    CHECK(properties(png_of(0, {without_checksum(chunks[i]), chunks[i], kPixels})) == expected[i]);
  }
}
