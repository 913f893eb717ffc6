// Internal to unfilter.cpp: sixteen rows at once.
//
// A pixel needs its neighbours to the left and above, so that the pixels of a row wait for each other. Here, sixteen
// rows are computed at the same time, each one pixel behind the row above it: in the same step, no row needs what
// another one computes. Lane r of a vector has a byte of row r. Bytes are brought into this order, and back, by
// transposing blocks of 16x16. So the steps of a whole block are column after column:
//
//     row 0   a b c d e f ...
//     row 1     a b c d e ...      column k has the bytes of the pixels k, k - 1, k - 2, ...
//     row 2       a b c d ...
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "pictures/png/pixel_order.h"

namespace convtool {

constexpr std::size_t kWaveRows = 16;

/// Where in memory byte `i` of a line goes.
template <std::size_t bytes, PixelOrder order>
constexpr std::size_t place_of(std::size_t i) {
  if (order == PixelOrder::swapped) return i ^ 1;
  return order == PixelOrder::reversed ? i - i % bytes + (bytes - 1 - i % bytes) : i;
}

/// As UnfilterRows (unfilter.h) for kWaveRows rows, for pixels of 1 to 4 bytes.
template <std::size_t bytes, PixelOrder order>
class UnfilterWave {
 public:
  static void run(const std::uint8_t* lines, const std::uint8_t* above, std::size_t pixels, std::uint8_t* rows) {
    const std::size_t size = pixels * bytes;
    UnfilterWave wave(lines, size, rows);
    for (std::size_t column = 0; column < size + kLag; column += kColumns) {
      if (column >= kLag && column + kColumns <= size)
        wave.run_block(column, above + column);
      else
        wave.run_edge(column, above);
    }
  }

 private:
  using u8 = std::uint8_t;
  using Lanes [[gnu::vector_size(kWaveRows)]] = u8;

  static constexpr std::size_t kColumns = bytes == 3 ? 48 : 16;  ///< of a block: whole pixels
  static constexpr std::size_t kLag = (kWaveRows - 1) * bytes;   ///< of the last row
  using Block = std::array<Lanes, kColumns>;

  UnfilterWave(const u8* lines, std::size_t size, u8* rows) : lines_(lines + 1), rows_(rows), size_(size) {
    for (std::size_t r = 0; r < kWaveRows; ++r)
      for (std::size_t filter = 0; filter < filters_.size(); ++filter)
        filters_[filter][r] = lines[r * (size + 1)] == filter ? 0xff : 0;
  }

  static Lanes lower(Lanes a, Lanes b) { return a < b ? a : b; }
  static Lanes higher(Lanes a, Lanes b) { return a > b ? a : b; }

  static Lanes average(Lanes a, Lanes b) { return (a & b) + ((a ^ b) >> 1); }

  /// The one of a, b and c that is nearest to a + b - c, in this order of preference (9.4). See paeth() in
  /// unfilter.cpp: with u = max(a, b) - c and v = c - min(a, b), it is the lower one of a and b if 2u <= v, the higher
  /// one if 2v <= u, else c. Where c is not between them, u or v counts as 0. As u + v <= 255, bytes are enough.
  static Lanes paeth(Lanes a, Lanes b, Lanes c) {
    const Lanes u = higher(a, higher(b, c)) - c, v = c - lower(a, lower(b, c)), larger = higher(u, v);
    const Lanes is_low = mask(u <= larger - u), is_high = mask(v <= larger - v);
    return (is_low & lower(a, b)) | (~is_low & ((is_high & higher(a, b)) | (~is_high & c)));
  }

  template <class Comparison>
  static Lanes mask(Comparison comparison) {
    return reinterpret_cast<Lanes>(comparison);
  }

  /// Turns 16 vectors of 16 bytes of a row into 16 columns, or the reverse.
  static void transpose(Lanes* v) {
    for (int stage = 0; stage < 4; ++stage) {
      Lanes merged[kWaveRows];
      for (std::size_t i = 0; i < 8; ++i) {
        merged[2 * i] = __builtin_shufflevector(v[i], v[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        merged[2 * i + 1] =
            __builtin_shufflevector(v[i], v[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      }
      std::copy_n(merged, kWaveRows, v);
    }
  }

  /// The bytes above a column: each lane has what the one before had a pixel earlier, the first has `first`.
  static Lanes next_row(Lanes before, u8 first) {
    const Lanes top = {first};
    return __builtin_shufflevector(Lanes{}, before, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30) |
           top;
  }

  /// Undoes the filters of a block, and orders its columns as in memory. Before the first pixel of a row there is 0.
  template <bool is_edge>
  void undo(Block& block, std::size_t column, const u8* above) {
    Block ordered;
    for (std::size_t i = 0; i < kColumns; ++i) {
      const std::size_t place = place_of<bytes, order>(i);
      const Lanes a = left_[i % bytes], b = next_row(a, above[place]), c = corner_[i % bytes];
      Lanes values = block[i] + ((filters_[1] & a) | (filters_[2] & b) | (filters_[3] & average(a, b)) |
                                 (filters_[4] & paeth(a, b, c)));
      if constexpr (is_edge) {
        const Lanes begins = Lanes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} * static_cast<u8>(bytes);
        values &= mask(begins <= Lanes{} + static_cast<u8>(std::min<std::size_t>(column + i, 255)));
      }
      left_[i % bytes] = values;
      corner_[i % bytes] = b;
      ordered[place] = values;
    }
    block = ordered;
  }

  const u8* line(std::size_t r) const { return lines_ + r * (size_ + 1) - r * bytes; }
  u8* row(std::size_t r) const { return rows_ + r * size_ - r * bytes; }

  /// Columns of which all rows have a byte.
  void run_block(std::size_t column, const u8* above) {
    Block block;
    for (std::size_t i = 0; i < kColumns; i += kWaveRows) {
      for (std::size_t r = 0; r < kWaveRows; ++r) std::memcpy(&block[i + r], line(r) + column + i, kWaveRows);
      transpose(&block[i]);
    }
    undo<false>(block, column, above);
    for (std::size_t i = 0; i < kColumns; i += kWaveRows) {
      transpose(&block[i]);
      for (std::size_t r = 0; r < kWaveRows; ++r) std::memcpy(row(r) + column + i, &block[i + r], kWaveRows);
    }
  }

  /// Other columns. `above` is the whole row.
  void run_edge(std::size_t column, const u8* above) {
    const auto clamped = [](std::size_t at, std::size_t from) { return std::min(at - std::min(at, from), kColumns); };
    std::array<std::array<u8, kColumns>, kWaveRows> part = {};
    std::array<u8, kColumns> top = {};
    std::array<std::size_t, kWaveRows> begins, ends;  // of the columns that a row has
    for (std::size_t r = 0; r < kWaveRows; ++r) {
      begins[r] = clamped(r * bytes, column);
      ends[r] = clamped(size_ + r * bytes, column);
      if (begins[r] < ends[r]) std::memcpy(&part[r][begins[r]], line(r) + column + begins[r], ends[r] - begins[r]);
    }
    if (column < size_) std::memcpy(top.data(), above + column, ends[0]);
    Block block;
    for (std::size_t i = 0; i < kColumns; i += kWaveRows) {
      for (std::size_t r = 0; r < kWaveRows; ++r) std::memcpy(&block[i + r], &part[r][i], kWaveRows);
      transpose(&block[i]);
    }
    undo<true>(block, column, top.data());
    for (std::size_t i = 0; i < kColumns; i += kWaveRows) {
      transpose(&block[i]);
      for (std::size_t r = 0; r < kWaveRows; ++r) std::memcpy(&part[r][i], &block[i + r], kWaveRows);
    }
    for (std::size_t r = 0; r < kWaveRows; ++r)
      if (begins[r] < ends[r]) std::memcpy(row(r) + column + begins[r], &part[r][begins[r]], ends[r] - begins[r]);
  }

  const u8* const lines_;
  u8* const rows_;
  const std::size_t size_;
  std::array<Lanes, 5> filters_;                      ///< all bits of the rows that have this filter
  std::array<Lanes, bytes> left_ = {}, corner_ = {};  ///< of the next column
};

}  // namespace convtool
