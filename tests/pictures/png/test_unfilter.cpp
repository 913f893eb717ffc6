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

constexpr std::array kPixelKinds = {
    PixelKind{1, PixelOrder::same},    PixelKind{2, PixelOrder::same},     PixelKind{4, PixelOrder::same},
    PixelKind{8, PixelOrder::same},    PixelKind{2, PixelOrder::swapped},  PixelKind{4, PixelOrder::swapped},
    PixelKind{8, PixelOrder::swapped}, PixelKind{3, PixelOrder::reversed}, PixelKind{6, PixelOrder::reversed}};

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
        for (std::size_t i = 0; i < size; ++i) {
          const std::size_t at = place_of(i, kind.bytes, kind.order);
          const bool is_first = i < kind.bytes;
          const int a = is_first ? 0 : expected[at - kind.bytes], c = is_first ? 0 : above[at - kind.bytes];
          expected[at] = static_cast<u8>(line[1 + i] + predicted(filter, a, above[at], c));
        }
        find_unfilter(static_cast<int>(kind.bytes), kind.order)(line.data(), above.data(), pixels, row.data());
        CHECK((row == expected));  // and nothing after it
      }
}

TEST_CASE("Paeth's predictor is that of the standard for every three bytes") {
  // Two pixels of eight bytes, all c and then all b above, the first of the row with a different a in each byte.
  const UnfilterRow unfilter = find_unfilter(8, PixelOrder::same);
  std::array<u8, 17> line = {4};
  std::array<u8, 16> above = {}, row = {};
  int wrong = 0;
  for (int c = 0; c < 256; ++c)
    for (int b = 0; b < 256; ++b) {
      std::fill_n(above.begin(), 8, static_cast<u8>(c));
      std::fill_n(above.begin() + 8, 8, static_cast<u8>(b));
      for (int a = 0; a < 256; a += 8) {
        for (std::size_t i = 0; i < 8; ++i) line[1 + i] = static_cast<u8>(a + static_cast<int>(i) - c);
        unfilter(line.data(), above.data(), 2, row.data());
        for (std::size_t i = 0; i < 8; ++i) {
          const int left = a + static_cast<int>(i);
          if (row[i] != left || row[8 + i] != predicted(4, left, b, c)) ++wrong;
        }
      }
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
