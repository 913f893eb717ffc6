// The usual kinds of PNG, read by our own reader, against OpenCV with libpng.
#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "pictures/image_header.h"
#include "support/picture_bytes.h"
#include "support/png_comparison.h"
#include "support/random.h"
#include "support/zlib_stream.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

struct PngKind {
  unsigned colour_type, channels, depth;
};

constexpr std::array kPngKinds = {PngKind{0, 1, 8},  PngKind{2, 3, 8},  PngKind{4, 2, 8},  PngKind{6, 4, 8},
                                  PngKind{0, 1, 16}, PngKind{2, 3, 16}, PngKind{4, 2, 16}, PngKind{6, 4, 16}};

Bytes deflated_lines(const Bytes& text, int level, int strategy) {
  return testing::zlib_stream(text, level, 15, 9, strategy);
}

/// The parts of a PNG file, which a test may change before they are put together.
struct UsualPng {
  PngKind kind;
  unsigned width, height;
  Bytes lines;
  std::function<Bytes(const Bytes&)> compress = [](const Bytes& text) { return deflated_lines(text, 6, 0); };
  std::size_t chunk = 1 << 20;  ///< the size of IDAT chunks
  std::vector<Bytes> before = {}, after = {};

  std::size_t line() const { return 1 + std::size_t{width} * kind.channels * kind.depth / 8; }

  Bytes head() const {
    ByteWriter data(true);
    data.u32(width).u32(height).u8(kind.depth).u8(kind.colour_type).u8(0).u8(0).u8(0);
    return ByteWriter().u8(0x89).text("PNG\r\n\x1a\n").append(png_chunk("IHDR", data.bytes())).bytes();
  }
  Bytes file() const {
    ByteWriter file;
    file.append(head());
    for (const Bytes& chunk_before : before) file.append(chunk_before);
    const Bytes stream = compress(lines);
    for (std::span<const std::byte> rest = stream; !rest.empty(); rest = rest.subspan(std::min(rest.size(), chunk)))
      file.append(png_chunk("IDAT", rest.first(std::min(rest.size(), chunk))));
    for (const Bytes& chunk_after : after) file.append(chunk_after);
    return file.append(png_chunk("IEND", {})).bytes();
  }
};

/// Lines of any filters: every line is that of some picture.
UsualPng random_parts(Random& random, const PngKind& kind, unsigned width, unsigned height) {
  UsualPng parts{.kind = kind, .width = width, .height = height, .lines = {}};
  const std::int64_t most = random.pick(std::array{255, 3, 0});
  for (unsigned y = 0; y < height; ++y)
    for (std::size_t i = 0; i < parts.line(); ++i)
      parts.lines.push_back(static_cast<std::byte>(random.between(0, i == 0 ? 4 : most)));
  return parts;
}

PngComparison compare_file(const Bytes& file, int threads = 1) {
  const PngComparison result = compare_png(file, read_picture_header(file), threads);
  CHECK(result.difference == "");
  return result;
}

void check_left(const Bytes& file) { CHECK_FALSE(compare_file(file).is_read); }

}  // namespace

TEST_CASE("pictures of every kind, size and division into chunks are read as by libpng") {
  Random random(1);
  for (const PngKind& kind : kPngKinds)
    for (int i = 0; i < 60; ++i) {
      CAPTURE(kind.colour_type);
      CAPTURE(kind.depth);
      CAPTURE(i);
      const auto width = static_cast<unsigned>(random.between(1, random.chance(2) ? 5 : 70)),
                 height = static_cast<unsigned>(random.between(1, 30));
      UsualPng parts = random_parts(random, kind, width, height);
      const int level = static_cast<int>(random.between(0, 9)), strategy = static_cast<int>(random.between(0, 4));
      parts.compress = [&](const Bytes& text) { return deflated_lines(text, level, strategy); };
      parts.chunk = static_cast<std::size_t>(random.chance(3) ? 1 : random.between(1, 3000));
      if (random.chance(2)) parts.before = {png_chunk("IDAT", {}), png_chunk("IDAT", {})};
      if (random.chance(2)) parts.after = {png_chunk("IDAT", {})};
      CHECK(compare_file(parts.file()).is_read);
    }
}

TEST_CASE("large pictures are the same on any number of threads") {
  Random random(2);
  for (const PngKind& kind : kPngKinds) {
    CAPTURE(kind.colour_type);
    CAPTURE(kind.depth);
    const UsualPng parts = random_parts(random, kind, 1000, 700);  // at least 700 KB: several strips
    const Bytes file = parts.file();
    const PictureHeader header = read_picture_header(file);
    const cv::Mat expected = png_by_opencv(file, header);
    REQUIRE(expected.isContinuous());
    for (const int threads : {1, 2, 3, 16})
      for (int i = 0; i < 3; ++i) {
        const cv::Mat got = read_usual_png(file, header, threads);
        REQUIRE(got.size() == expected.size());
        REQUIRE(got.type() == expected.type());
        CHECK(std::memcmp(got.data, expected.data, got.total() * got.elemSize()) == 0);
      }
  }
}

TEST_CASE("damage in any strip of a large picture is found on any number of threads") {
  Random random(3);
  UsualPng parts = random_parts(random, kPngKinds[1], 1000, 700);
  for (const std::size_t row : {0u, 1u, 80u, 350u, 698u, 699u}) {
    UsualPng damaged = parts;
    damaged.lines[row * parts.line()] = std::byte{5};  // there is no such filter
    const Bytes file = damaged.file();
    for (const int threads : {1, 2, 16}) {
      const PngComparison result = compare_file(file, threads);
      CHECK_FALSE(result.is_read);
      CHECK_FALSE(result.is_accepted);
    }
    Bytes changed = parts.file();
    changed[std::size_t{100} + changed.size() / 720 * row] ^= std::byte{16};  // a checksum is wrong
    for (const int threads : {1, 2, 16}) CHECK_FALSE(compare_file(changed, threads).is_read);
  }
}

TEST_CASE("one row of many pixels and many rows of one pixel are read") {
  Random random(4);
  for (const PngKind& kind : {kPngKinds[1], kPngKinds[7]})
    for (const auto& [width, height] : {std::pair(180000u, 1u), std::pair(60000u, 3u), std::pair(1u, 180000u)}) {
      const Bytes file = random_parts(random, kind, width, height).file();
      for (const int threads : {1, 2}) CHECK(compare_file(file, threads).is_read);
    }
}

TEST_CASE("what is unusual is left to libpng") {
  Random random(5);
  const UsualPng usual = random_parts(random, kPngKinds[1], 9, 7);
  const auto changed = [&](const std::function<void(UsualPng&)>& change) {
    UsualPng parts = usual;
    change(parts);
    return parts.file();
  };
  const Bytes file = usual.file();
  REQUIRE(compare_file(file).is_read);
  const Bytes text = png_chunk("tEXt", to_bytes(std::string("Title\0any", 9)));

  SUBCASE("metadata changes nothing") {
    CHECK(compare_file(changed([&](UsualPng& parts) {
            parts.before = parts.after = {text, png_chunk("prVt", Bytes(5000))};
          })).is_read);
    CHECK(compare_file(changed([&](UsualPng& parts) {
            parts.before = {png_chunk("gAMA", ByteWriter(true).u32(100000).bytes()), png_chunk("bKGD", Bytes(6)),
                            png_chunk("sBIT", Bytes(3, std::byte{5})), png_chunk("pHYs", Bytes(9))};
          })).is_read);
  }
  SUBCASE("nor do more texts than libpng keeps") {
    CHECK(compare_file(changed([&](UsualPng& parts) { parts.before = std::vector<Bytes>(1500, text); })).is_read);
    CHECK(compare_file(changed([&](UsualPng& parts) { parts.after = std::vector<Bytes>(1500, text); })).is_read);
  }
  SUBCASE("chunks of other kinds") {
    check_left(changed([&](UsualPng& parts) { parts.before = {png_chunk("PLTE", Bytes(6))}; }));
    check_left(changed([&](UsualPng& parts) { parts.before = {png_chunk("tRNS", Bytes(6))}; }));
    check_left(changed([&](UsualPng& parts) { parts.before = {png_chunk("ABCD", Bytes(6))}; }));
    check_left(changed([&](UsualPng& parts) { parts.before = {png_chunk("a1cD", Bytes(6))}; }));
    check_left(changed([&](UsualPng& parts) { parts.before = {png_chunk("prvt", Bytes(6))}; }));
    check_left(changed([&](UsualPng& parts) { parts.after = {png_chunk("prvt", Bytes(6))}; }));
    check_left(changed([&](UsualPng& parts) { parts.before = {png_chunk("prVt", Bytes(8000001))}; }));
    check_left(changed([&](UsualPng& parts) { parts.before = {png_chunk("prVt", Bytes(2000000))}; }));
    check_left(changed([&](UsualPng& parts) { parts.before = {png_chunk("IHDR", Bytes(13))}; }));
  }
  SUBCASE("wrong checksums") {
    for (const std::size_t at : {29u, 50u}) {  // that of IHDR, and in the data of IDAT
      Bytes other = file;
      other[at] ^= std::byte{1};
      check_left(other);
    }
    Bytes end = file;
    end.back() ^= std::byte{1};
    check_left(end);
    UsualPng parts = usual;
    parts.before = {text};
    parts.before[0].back() ^= std::byte{1};
    check_left(parts.file());  // libpng leaves the text out
  }
  SUBCASE("chunks of pixels that do not follow each other, and a missing end") {
    check_left(changed([&](UsualPng& parts) { parts.after = {text, png_chunk("IDAT", {})}; }));
    check_left(Bytes(file.begin(), file.end() - 12));
    check_left(Bytes(file.begin(), file.end() - 1));
    Bytes longer = file;
    longer.resize(file.size() + 100);
    CHECK(compare_file(longer).is_read);  // what follows the end is not looked at
  }
  SUBCASE("too little or too much data") {
    check_left(changed([](UsualPng& parts) { parts.lines.pop_back(); }));
    check_left(changed([](UsualPng& parts) { parts.lines.push_back(std::byte{0}); }));
    check_left(changed([](UsualPng& parts) { parts.lines.resize(parts.lines.size() + 100000); }));
    for (const std::size_t more : {1u, 1000u})
      check_left(changed([&](UsualPng& parts) {
        parts.compress = [more](const Bytes& lines) {
          Bytes stream = deflated_lines(lines, 6, 0);
          stream.resize(stream.size() + more);
          return stream;
        };
      }));
    check_left(changed([](UsualPng& parts) {
      parts.compress = [](const Bytes& lines) {
        Bytes stream = deflated_lines(lines, 6, 0);
        stream.resize(stream.size() - 4);
        return stream;
      };
    }));
  }
  SUBCASE("filters that do not exist") {
    for (const int filter : {5, 64, 255})
      check_left(changed([&](UsualPng& parts) { parts.lines[2 * parts.line()] = static_cast<std::byte>(filter); }));
  }
  SUBCASE("other kinds of pictures") {
    for (const unsigned depth : {1u, 2u, 4u})
      check_left(png_file({.width = 8, .height = 1, .bit_depth = static_cast<int>(depth), .rows = Bytes(1 + depth)}));
    check_left(png_file({.width = 1, .height = 1, .interlaced = true, .rows = Bytes(2)}));
    check_left(png_file({.width = 1, .height = 1, .colour_type = 3, .palette = Bytes(6), .rows = Bytes(2)}));
  }
  SUBCASE("another size than in the header") {
    PictureHeader header = read_picture_header(file);
    header.width = 8;
    CHECK(read_usual_png(file, header, 1).empty());
  }
}

TEST_CASE("metadata of any content does not come between the pixels") {
  constexpr std::array kTypes = {"gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "bKGD", "hIST", "pHYs", "sPLT",
                                 "tIME", "tEXt", "zTXt", "iTXt", "eXIf", "oFFs", "pCAL", "sCAL", "sTER",
                                 "gIFg", "gIFx", "cICP", "mDCV", "cLLI", "iDOT", "caNv", "dSIG", "prVt"};
  Random random(7);
  int read = 0;
  for (int i = 0; i < 2000; ++i) {
    UsualPng parts = random_parts(random, random.pick(kPngKinds), 5, 3);
    const std::string type = random.pick(kTypes);
    CAPTURE(type);
    std::string keyword;
    if (random.chance(2)) keyword = std::string("Name\0\0", 6);
    Bytes data = to_bytes(keyword);
    for (std::int64_t size = random.between(0, random.chance(2) ? 6 : 60); size > 0; --size)
      data.push_back(static_cast<std::byte>(random.chance(2) ? random.between(0, 255) : random.between(0, 2)));
    const std::int64_t place = random.between(1, 3);
    if (place != 2) parts.before.push_back(png_chunk(type, data));
    if (place != 1) parts.after.push_back(png_chunk(type, data));
    if (random.chance(8)) parts.before.push_back(png_chunk(type, data));
    read += compare_file(parts.file()).is_read ? 1 : 0;
  }
  CHECK(read == 2000);
}

TEST_CASE("changed files are refused by libpng, or have its pixels") {
  Random random(6);
  int read = 0, accepted = 0, left = 0;
  for (int i = 0; i < 6000; ++i) {
    CAPTURE(i);
    UsualPng parts = random_parts(random, random.pick(kPngKinds), static_cast<unsigned>(random.between(1, 12)),
                                  static_cast<unsigned>(random.between(1, 12)));
    const int level = static_cast<int>(random.between(0, 9)), strategy = static_cast<int>(random.between(0, 4));
    parts.compress = [&](const Bytes& text) { return deflated_lines(text, level, strategy); };
    parts.chunk = static_cast<std::size_t>(random.between(1, 300));
    Bytes file = parts.file();
    for (std::int64_t changes = random.between(1, 3); changes > 0; --changes) {
      const auto at = static_cast<std::size_t>(random.between(33, std::ssize(file) - 1));
      switch (random.between(0, 5)) {
        case 0: file.erase(file.begin() + static_cast<std::ptrdiff_t>(at)); break;
        case 1: file.insert(file.begin() + static_cast<std::ptrdiff_t>(at), std::byte{7}); break;
        case 2: file[at] = static_cast<std::byte>(random.between(0, 255)); break;
        default: file[at] ^= std::byte{1} << random.between(0, 7);
      }
    }
    if (!random.chance(8)) file = with_right_checksums(file);
    try {
      const PngComparison result = compare_file(file);
      read += result.is_read ? 1 : 0;
      accepted += result.is_accepted ? 1 : 0;
      left += result.is_accepted && !result.is_read ? 1 : 0;
    } catch (const Error&) {  // by its header
    }
  }
  CHECK(read > 500);
  CHECK(accepted > read);
  CHECK(left < accepted / 2);  // the reader is strict, but not for nothing
}
