// TIFF whose rows of strips or tiles are decoded on several threads.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "pictures/compression.h"
#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/image_header.h"
#include "pictures/picture_formats.h"
#include "pictures/pixel_values.h"
#include "support/picture_bytes.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

constexpr std::int64_t kMostPixels = std::int64_t{1} << 24;

struct Outcome {
  std::vector<double> values;
  std::string error;

  bool operator==(const Outcome&) const = default;
};

/// The picture or its error, decoded on so many threads.
Outcome decoded(const Bytes& file, int threads) {
  try {
    return {values(decode_image(file, read_small_header(file, kMostPixels), threads).all()), ""};
  } catch (const Error& error) {
    return {{}, error.what()};
  }
}

/// Data of `size` bytes that differ from block to block.
Bytes block(std::size_t size, std::size_t number) {
  Bytes data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::byte>(i * i / 7 + 31 * number + i / 1000);
  return data;
}

std::vector<Bytes> packed_blocks(std::size_t count, std::size_t size) {
  std::vector<Bytes> blocks;
  for (std::size_t i = 0; i < count; ++i) blocks.push_back(deflate(block(size, i), 1, std::nullopt));
  return blocks;
}

void check_threads(const Bytes& file) {
  CHECK(read_small_header(file, kMostPixels).most_threads > 1);
  const Outcome expected = decoded(file, 1);
  for (const int threads : {2, 3, 16, 0}) {
    CAPTURE(threads);
    CHECK((decoded(file, threads) == expected));
  }
}

}  // namespace

TEST_CASE("strips, tiles and planes of a TIFF are the same pictures for any number of threads") {
  // Heights that are no multiple of the blocks'.
  const Bytes strips = tiff_file(
      {.width = 1000, .height = 1205, .rows_per_strip = 10, .compression = 8, .blocks = packed_blocks(121, 10 * 1000)});
  const std::vector<double> pixels = decoded(strips, 1).values;
  REQUIRE(pixels.size() == 1000 * 1205);
  CHECK(pixels[1204 * 1000 + 3] == static_cast<double>(block(10000, 120)[4003]));  // in the last strip of 5 rows
  check_threads(strips);
  check_threads(tiff_file(
      {.width = 1000, .height = 1205, .tile = 64, .compression = 8, .blocks = packed_blocks(16 * 19, 64 * 64)}));
  check_threads(tiff_file({.width = 600,
                           .height = 700,
                           .samples = 3,
                           .photometric = 2,
                           .rows_per_strip = 16,
                           .planar = true,
                           .compression = 8,
                           .blocks = packed_blocks(3 * 44, 600 * 16)}));
}

TEST_CASE("LZW in TIFF is the same picture for any number of threads") {
  const Image image(DType::u16, PixelFormat::rgb, 500, 612);
  const auto view = image.all().view<std::uint16_t>();
  for (std::int64_t y = 0; y < 500; ++y)
    for (std::int64_t x = 0; x < 612; ++x)
      for (std::int64_t c = 0; c < 3; ++c) view.at(0, c, y, x) = static_cast<std::uint16_t>(x * y + 1000 * c);
  check_threads(
      encode_image(image, *find_picture_format("tiff"), EncodeOptions{.tiff_compression = TiffCompression::lzw}));
}

TEST_CASE("damage in any strip of a TIFF is the same error for any number of threads") {
  for (const std::size_t damaged : {0u, 60u, 120u}) {
    CAPTURE(damaged);
    std::vector<Bytes> blocks = packed_blocks(121, 10 * 1000);
    blocks[damaged][blocks[damaged].size() / 2] ^= std::byte{0x55};
    const Bytes file =
        tiff_file({.width = 1000, .height = 1205, .rows_per_strip = 10, .compression = 8, .blocks = std::move(blocks)});
    CHECK(decoded(file, 1).error == "damaged or truncated TIFF (parts of its data are invalid)");
    check_threads(file);
  }
}

TEST_CASE("what the strips of a TIFF decode to beyond their rows is limited together, on any number of threads") {
  // 2000 strips: 33554 bytes each are 864 bytes below 64 MiB, one more is above.
  for (const std::size_t beyond : {33554u, 33555u}) {
    CAPTURE(beyond);
    Bytes data(1024 + beyond, std::byte{7});
    data[1023] = std::byte{9};  // libtiff stops before a repetition that goes beyond the pixels
    const std::vector<Bytes> blocks(2000, deflate(data, 9, std::nullopt));
    const Bytes file =
        tiff_file({.width = 1024, .height = 2000, .rows_per_strip = 1, .compression = 8, .blocks = blocks});
    CHECK(decoded(file, 1).error.empty() == (beyond == 33554));
    check_threads(file);
  }
}

TEST_CASE("one thread decodes a TIFF that is small, or of one strip, or whose codec needs much memory") {
  const auto threads_of = [](const TiffParts& parts) {
    return read_small_header(tiff_file(parts), kMostPixels).most_threads;
  };
  const std::vector<Bytes> many(121, Bytes(10 * 1000));
  CHECK(threads_of({.width = 100, .height = 1205, .rows_per_strip = 10, .compression = 8, .blocks = many}) == 1);
  CHECK(threads_of({.width = 1000, .height = 1205, .compression = 8, .blocks = {Bytes(10)}}) == 1);
  CHECK(threads_of({.width = 1000, .height = 1205, .rows_per_strip = 10, .compression = 1, .blocks = many}) == 1);
  CHECK(threads_of({.width = 1000, .height = 1205, .rows_per_strip = 10, .compression = 50000, .blocks = many}) == 1);
}
