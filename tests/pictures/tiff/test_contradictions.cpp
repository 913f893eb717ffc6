// TIFF files whose tags contradict each other, or that store more than their pixels.
#include <doctest/doctest.h>

#include <string>

#include "pictures/compression.h"
#include "pictures/outcome.h"
#include "support/picture_bytes.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

constexpr const char* kContradiction = "damaged or truncated TIFF (its tags contradict each other)";
constexpr const char* kInvalid = "damaged or truncated TIFF (parts of its data are invalid)";

Bytes packed(const Bytes& data) { return deflate(data, 9, std::nullopt); }

/// A grey picture of 16 x 16 in one strip or tile, with further tags.
std::string with_tags(std::uint32_t tile, std::vector<TiffEntry> more) {
  return outcome(tiff_file({.width = 16,
                            .height = 16,
                            .tile = tile,
                            .compression = 8,
                            .more = std::move(more),
                            .blocks = {packed(Bytes(256))}}));
}

}  // namespace

TEST_CASE("a TIFF that lists both strips and tiles is refused") {
  const std::string refusal = "damaged or truncated TIFF (it lists both strips and tiles)";
  for (const std::uint32_t value : {1u, 8u, 0x7fffffffu, 0xf0000000u}) {
    CAPTURE(value);
    for (const unsigned tag : {324u, 325u}) CHECK(with_tags(0, {{tag, 4, {value}}}) == refusal);
    for (const unsigned tag : {273u, 279u}) CHECK(with_tags(16, {{tag, 4, {value}}}) == refusal);
  }
}

TEST_CASE("a tag that occurs twice, with another value, is never read in two ways") {
  const std::string plain = with_tags(0, {});
  REQUIRE(plain.starts_with("u8 grey 0 0"));
  for (const TiffEntry& entry : {TiffEntry{273, 4, {9}},
                                 {279, 4, {3}},
                                 {279, 4, {0xf0000000}},
                                 {278, 4, {1}},
                                 {262, 3, {0}},
                                 {339, 3, {2}},
                                 {258, 3, {16}},
                                 {256, 4, {8}},
                                 {257, 4, {8}}}) {
    CAPTURE(entry.tag);
    const std::string got = with_tags(0, {entry, entry});
    if (entry.tag == 339)
      CHECK(got.starts_with("f32 grey 0 0"));  // the only tag here that the file does not have yet
    else
      CHECK((got == plain || got == kContradiction || got == kInvalid));
  }
  for (const TiffEntry& entry : {TiffEntry{324, 4, {9}}, {325, 4, {3}}, {325, 4, {0xf0000000}}}) {
    CAPTURE(entry.tag);
    const std::string got = with_tags(16, {entry});
    CHECK((got == plain || got == kContradiction));
  }
}

TEST_CASE("a large uncompressed strip is read in one piece") {
  // libtiff would split it into strips of its own, of 8 KiB.
  constexpr std::uint32_t kWidth = 20, kHeight = 1000;
  Bytes block;
  for (std::uint32_t i = 0; i < kWidth * kHeight; ++i) block.push_back(static_cast<std::byte>(i % 251));
  std::vector<double> got =
      values(decode_image(tiff_file({.width = kWidth, .height = kHeight, .blocks = {block}}), kWidth * kHeight).all());
  int wrong = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i] != static_cast<double>(i % 251)) ++wrong;
  CHECK(wrong == 0);

  // YCbCr without chroma: grey.
  block.clear();
  for (std::uint32_t i = 0; i < kWidth * kHeight; ++i)
    for (const std::uint32_t value : {i % 251, 128u, 128u}) block.push_back(static_cast<std::byte>(value));
  got = values(decode_image(tiff_file({.width = kWidth,
                                       .height = kHeight,
                                       .samples = 3,
                                       .photometric = 6,
                                       .more = {{530, 3, {1, 1}}},
                                       .blocks = {block}}),
                            kWidth * kHeight)
                   .all());
  REQUIRE(got.size() == 3 * kWidth * kHeight);
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i] != static_cast<double>(i / 3 % 251)) ++wrong;
  CHECK(wrong == 0);
}

TEST_CASE("bytes after the data of a strip or tile do no harm") {
  Bytes block = packed(Bytes(256, std::byte{10}));
  block.resize(block.size() + (std::size_t{1} << 21));
  const auto read = [&](std::uint32_t tile) {
    return outcome(tiff_file({.width = 16, .height = 16, .tile = tile, .compression = 8, .blocks = {block}}));
  };
  CHECK(read(0).starts_with("u8 grey 10 10"));
  CHECK(read(16) == read(0));
}

TEST_CASE("Deflate data in TIFF that decodes to much more than the pixels is refused") {
  const auto strip = [](std::size_t size) {
    // libtiff stops before a repetition that goes beyond the pixels, so the last pixel must not be one.
    Bytes data(1000, std::byte{7});
    data.back() = std::byte{9};
    data.resize(size);
    return outcome(tiff_file({.width = 1000, .height = 1, .compression = 8, .blocks = {packed(data)}}));
  };
  const std::string whole = strip(1000);
  CHECK(whole.starts_with("u8 grey 7 7"));
  CHECK(whole.ends_with("7 7 9"));
  CHECK((strip(1001) == whole));
  CHECK((strip(2000 + (1 << 16)) == whole));
  CHECK(strip(2001 + (1 << 16)) == kInvalid);

  // Many strips with a little too much each: 64 MiB beyond the pixels in all.
  const auto strips = [](std::uint32_t count) {
    const Bytes block = packed(Bytes(1 << 16, std::byte{7}));
    try {
      decode_image(tiff_file({.width = 1,
                              .height = count,
                              .rows_per_strip = 1,
                              .compression = 8,
                              .blocks = std::vector<Bytes>(count, block)}),
                   10000);
      return std::string("read");
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  CHECK(strips(1024) == "read");  // 65535 bytes too many each: 1024 bytes below the limit
  CHECK(strips(1026) == kInvalid);
}
