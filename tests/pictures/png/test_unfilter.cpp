// Unfiltering against its definition ("Portable Network Graphics (PNG) Specification (Second Edition)", W3C 2003, 9.2).
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "pictures/png/unfilter.h"
#include "support/random.h"

using namespace convtool;

namespace {

using u8 = std::uint8_t;

int predicted(int filter, int a, int b, int c) {
  const int p = a + b - c, pa = std::abs(p - a), pb = std::abs(p - b), pc = std::abs(p - c);
  const int paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
  return std::array{0, a, b, (a + b) / 2, paeth}.at(static_cast<std::size_t>(filter));
}

/// Where byte `i` of a line goes.
std::size_t place_of(std::size_t i, std::size_t pixel, PixelOrder order) {
  if (order == PixelOrder::same) return i;
  return order == PixelOrder::swapped ? i ^ 1 : i - i % pixel + (pixel - 1 - i % pixel);
}

struct PixelKind {
  std::size_t bytes;
  PixelOrder order;
};

void unfilter_by_definition(const u8* line, const u8* above, const PixelKind& kind, std::size_t size, u8* row) {
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t at = place_of(i, kind.bytes, kind.order);
    const bool is_first = i < kind.bytes;
    const int a = is_first ? 0 : row[at - kind.bytes], c = is_first ? 0 : above[at - kind.bytes];
    row[at] = static_cast<u8>(line[1 + i] + predicted(line[0], a, above[at], c));
  }
}

constexpr std::array kPixelKinds = {
    PixelKind{1, PixelOrder::same},     PixelKind{2, PixelOrder::same},    PixelKind{4, PixelOrder::same},
    PixelKind{3, PixelOrder::same},     PixelKind{6, PixelOrder::swapped}, PixelKind{8, PixelOrder::same},
    PixelKind{2, PixelOrder::swapped},  PixelKind{4, PixelOrder::swapped}, PixelKind{8, PixelOrder::swapped},
    PixelKind{3, PixelOrder::reversed}, PixelKind{6, PixelOrder::reversed}};

}  // namespace

TEST_CASE("every filter is undone for pixels of every size and order") {
  Random random(1);
  for (const PixelKind& kind : kPixelKinds)
    for (int filter = 0; filter < 5; ++filter)
      for (const std::size_t pixels : {1u, 2u, 3u, 7u, 8u, 16u, 17u, 100u}) {
        CAPTURE(kind.bytes);
        CAPTURE(static_cast<int>(kind.order));
        CAPTURE(filter);
        CAPTURE(pixels);
        const std::size_t size = pixels * kind.bytes;
        std::vector<u8> line(1 + size), above(size), expected(size + 8, 77), row(size + 8, 77);
        for (u8& byte : line) byte = static_cast<u8>(random.between(0, 255));
        for (u8& byte : above) byte = static_cast<u8>(random.between(0, 255));
        line[0] = static_cast<u8>(filter);
        unfilter_by_definition(line.data(), above.data(), kind, size, expected.data());
        find_unfilter(static_cast<int>(kind.bytes), kind.order)(line.data(), above.data(), pixels, 1, row.data());
        CHECK((row == expected));  // and nothing after it
      }
}

TEST_CASE("many rows are unfiltered as one after another") {
  Random random(2);
  for (const PixelKind& kind : kPixelKinds)
    for (const std::size_t pixels : {1u, 2u, 5u, 15u, 16u, 17u, 18u, 31u, 32u, 33u, 48u, 100u, 271u})
      for (const std::size_t count : {1u, 15u, 16u, 17u, 40u, 64u}) {
        CAPTURE(kind.bytes);
        CAPTURE(static_cast<int>(kind.order));
        CAPTURE(pixels);
        CAPTURE(count);
        const std::size_t size = pixels * kind.bytes;
        std::vector<u8> lines(count * (1 + size)), above(size), expected(count * size), rows(expected.size() + 16, 77);
        for (u8& byte : above) byte = static_cast<u8>(random.between(0, 255));
        const std::int64_t first = random.between(0, 4);  // filters: from this one on
        for (std::size_t y = 0; y < count; ++y) {
          u8* const line = &lines[y * (1 + size)];
          line[0] = static_cast<u8>(random.between(first, 4));
          for (std::size_t i = 0; i < size; ++i) line[1 + i] = static_cast<u8>(random.between(0, 255));
          unfilter_by_definition(line, y == 0 ? above.data() : &expected[(y - 1) * size], kind, size,
                                 &expected[y * size]);
        }
        expected.resize(rows.size(), 77);
        find_unfilter(static_cast<int>(kind.bytes), kind.order)(lines.data(), above.data(), pixels, count, rows.data());
        CHECK((rows == expected));  // and nothing after it
      }
}

TEST_CASE("Paeth's predictor is that of the standard for every three bytes") {
  // Two pixels in each row: above all rows c and b, in the first of the row every a.
  int wrong = 0;
  const auto check = [&](int bytes, const std::vector<int>& lefts, int b, int c) {
    // Sixteen rows, each of which begins again with c and b above.
    const auto size = static_cast<std::size_t>(2 * bytes);
    std::vector<u8> lines, above(size), rows;
    for (std::size_t i = 0; i < size; ++i) above[i] = static_cast<u8>(i < size / 2 ? c : b);
    const auto add = [&](int filter, int first, int second) {
      lines.push_back(static_cast<u8>(filter));
      lines.insert(lines.end(), size / 2, static_cast<u8>(first));
      lines.insert(lines.end(), size / 2, static_cast<u8>(second));
    };
    for (const int a : lefts) {
      add(4, a - c, 0);
      add(0, c, b);
    }
    rows.resize(2 * lefts.size() * size);
    find_unfilter(bytes, PixelOrder::same)(lines.data(), above.data(), 2, 2 * lefts.size(), rows.data());
    for (std::size_t i = 0; i < lefts.size(); ++i)
      if (rows[2 * i * size] != lefts[i] || rows[2 * i * size + size / 2] != predicted(4, lefts[i], b, c)) ++wrong;
  };
  for (int c = 0; c < 256; ++c)
    for (int b = 0; b < 256; ++b) {
      std::vector<int> lefts;
      for (int a = 0; a < 256; ++a) lefts.push_back(a);
      check(1, lefts, b, c);  // sixteen rows at once
      check(8, lefts, b, c);  // one row at a time
    }
  CHECK(wrong == 0);
}

TEST_CASE("there are functions for the pixels of PNG only") {
  for (int bytes = 0; bytes < 10; ++bytes)
    for (const PixelOrder order : {PixelOrder::same, PixelOrder::swapped, PixelOrder::reversed}) {
      const bool is_kind = std::any_of(kPixelKinds.begin(), kPixelKinds.end(), [&](const PixelKind& kind) {
        return static_cast<int>(kind.bytes) == bytes && kind.order == order;
      });
      CHECK((find_unfilter(bytes, order) != nullptr) == is_kind);
    }
}
