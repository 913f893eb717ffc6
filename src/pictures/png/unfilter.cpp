#include "pictures/png/unfilter.h"

#include <bit>
#include <cstring>

#include "files/byte_reader.h"
#include "pictures/png/unfilter_wave.h"

namespace convtool {
namespace {

using u8 = std::uint8_t;
using u64 = std::uint64_t;

enum Filter : u8 { none, sub, up, average, paeth_filter };

// A pixel has up to 8 bytes. Predictions are computed for all of them at once, in vectors of the compiler's.
using Eight [[gnu::vector_size(8)]] = u8;
using EightWords [[gnu::vector_size(16)]] = std::int16_t;

/// The first byte of a pixel is the lowest one of a number.
constexpr auto kOrder = std::endian::little;

EightWords widen(u64 bytes) {
  return __builtin_convertvector(std::bit_cast<Eight>(to_order(bytes, kOrder)), EightWords);
}

u64 narrow(EightWords words) { return to_order(std::bit_cast<u64>(__builtin_convertvector(words, Eight)), kOrder); }

template <class T>
u64 load_as(const u8* from) {
  return load_number<T>(reinterpret_cast<const std::byte*>(from), kOrder);
}

template <class T>
void store_as(u64 pixel, u8* to) {
  store_number(reinterpret_cast<std::byte*>(to), static_cast<T>(pixel), kOrder);
}

template <int bytes>
u64 load(const u8* from) {
  if constexpr (bytes == 1) return *from;
  if constexpr (bytes == 2) return load_as<std::uint16_t>(from);
  if constexpr (bytes == 3) return load_as<std::uint16_t>(from) | u64{from[2]} << 16;
  if constexpr (bytes == 4) return load_as<std::uint32_t>(from);
  if constexpr (bytes == 6) return load_as<std::uint32_t>(from) | load_as<std::uint16_t>(from + 4) << 32;
  if constexpr (bytes == 8) return load_as<u64>(from);
}

template <int bytes>
void store(u64 pixel, u8* to) {
  if constexpr (bytes == 1) *to = static_cast<u8>(pixel);
  if constexpr (bytes == 2 || bytes == 3) store_as<std::uint16_t>(pixel, to);
  if constexpr (bytes == 3) to[2] = static_cast<u8>(pixel >> 16);
  if constexpr (bytes == 4 || bytes == 6) store_as<std::uint32_t>(pixel, to);
  if constexpr (bytes == 6) store_as<std::uint16_t>(pixel >> 32, to + 4);
  if constexpr (bytes == 8) store_as<u64>(pixel, to);
}

/// Filters work byte by byte, at the distance of a pixel, so the bytes of pixels may be ordered first.
template <int bytes, PixelOrder order>
u64 in_order(u64 pixel) {
  constexpr u64 kLow = 0x00ff00ff00ff00ff;
  if constexpr (order == PixelOrder::swapped) return (pixel >> 8 & kLow) | (pixel & kLow) << 8;
  if constexpr (order == PixelOrder::reversed) return __builtin_bswap64(pixel) >> (64 - 8 * bytes);
  return pixel;
}

/// The sums of bytes, without carries.
EightWords add_bytes(EightWords x, EightWords y) {
  using Sixteen [[gnu::vector_size(16)]] = u8;
  return std::bit_cast<EightWords>(std::bit_cast<Sixteen>(x) + std::bit_cast<Sixteen>(y));
}

/// The one of a, b and c that is nearest to p = a + b - c, in this order of preference (9.4).
///
/// If c is not between a and b, the one of them that is farther from c is nearest to p. If c is between them, say
/// a < c < b, then a is nearest where b - c <= |a + b - 2c| and b - c <= c - a, which is b <= 3c - a - b, and b where
/// 3c - a - b <= a. Outside, the same comparisons hold for the smaller and the larger of a and b. Compared with
/// computing three distances, fewer operations wait for a, the pixel before.
EightWords paeth(EightWords a, EightWords b, EightWords c) {
  const EightWords low = a < b ? a : b, high = a < b ? b : a, threshold = c + c + c - b - a;
  const EightWords not_low = high > threshold, not_high = threshold > low;
  return (~not_low & low) | (~not_high & high) | (not_low & not_high & c);
}

template <int bytes, PixelOrder order>
void put_in_order(const u8* line, std::size_t pixels, u8* row) {
  for (std::size_t x = 0; x < pixels; ++x)
    store<bytes>(in_order<bytes, order>(load<bytes>(line + x * bytes)), row + x * bytes);
}

void add(const u8* above, std::size_t size, u8* row) {
  for (std::size_t i = 0; i < size; ++i) row[i] = static_cast<u8>(row[i] + above[i]);
}

/// Undoes a filter that predicts a pixel from `a` to its left, `b` above it and `c` above a.
template <int bytes, PixelOrder order, class Predict>
void undo(const u8* line, const u8* above, std::size_t pixels, u8* row, const Predict& predict) {
  EightWords a = {}, c = {};
  for (std::size_t x = 0; x < pixels; ++x) {
    const EightWords b = widen(load<bytes>(above + x * bytes));
    const EightWords difference = widen(in_order<bytes, order>(load<bytes>(line + x * bytes)));
    a = add_bytes(difference, predict(a, b, c));
    store<bytes>(narrow(a), row + x * bytes);
    c = b;
  }
}

template <int bytes, PixelOrder order>
void unfilter_row(const u8* line, const u8* above, std::size_t pixels, u8* row) {
  const u8* const filtered = line + 1;
  switch (line[0]) {
    case none: return put_in_order<bytes, order>(filtered, pixels, row);
    case sub:
      return undo<bytes, order>(filtered, above, pixels, row, [](EightWords a, EightWords, EightWords) { return a; });
    case up: put_in_order<bytes, order>(filtered, pixels, row); return add(above, pixels * bytes, row);
    case average:
      return undo<bytes, order>(filtered, above, pixels, row,
                                [](EightWords a, EightWords b, EightWords) { return (a + b) >> 1; });
    default: return undo<bytes, order>(filtered, above, pixels, row, paeth);
  }
}

/// Whether a wave takes less time than one row after another: it takes as long for all filters. Measured with pixels of
/// 1 to 8 bytes; it is 3 to 6 times as fast for Paeth's filter in grey, twice in RGB.
bool suits_wave(const u8* lines, std::size_t size) {
  std::size_t slow = 0;
  for (std::size_t r = 0; r < kWaveRows; ++r) slow += lines[r * (size + 1)] >= Filter::average ? 1 : 0;
  return slow >= kWaveRows / 2;
}

template <int bytes, PixelOrder order>
void unfilter(const u8* lines, const u8* above, std::size_t pixels, std::size_t count, u8* rows) {
  const std::size_t size = pixels * bytes;
  while (count > 0) {
    std::size_t done = 1;
    if constexpr (bytes <= 4) {
      if (count >= kWaveRows && suits_wave(lines, size)) {
        done = kWaveRows;
        UnfilterWave<bytes, order>::run(lines, above, pixels, rows);
      }
    }
    if (done == 1) unfilter_row<bytes, order>(lines, above, pixels, rows);
    lines += done * (size + 1);
    rows += done * size;
    above = rows - size;
    count -= done;
  }
}

}  // namespace

UnfilterRows find_unfilter(int bytes, PixelOrder order) {
  using enum PixelOrder;
  if (order == same)
    return bytes == 1   ? unfilter<1, same>
           : bytes == 2 ? unfilter<2, same>
           : bytes == 3 ? unfilter<3, same>
           : bytes == 4 ? unfilter<4, same>
           : bytes == 8 ? unfilter<8, same>
                        : nullptr;
  if (order == swapped)
    return bytes == 2   ? unfilter<2, swapped>
           : bytes == 4 ? unfilter<4, swapped>
           : bytes == 6 ? unfilter<6, swapped>
           : bytes == 8 ? unfilter<8, swapped>
                        : nullptr;
  return bytes == 3 ? unfilter<3, reversed> : bytes == 6 ? unfilter<6, reversed> : nullptr;
}

}  // namespace convtool
