// Row functions of separable filters: a pass along rows and one along columns, compiled for every instruction set.
// Internal to conv/.
#pragma once

#include <cstdint>

namespace convtool {

/// The most rows that the column pass computes at once.
inline constexpr std::int64_t kColumnPassRows = 8;

/// sums[x] = sum over t < taps of weights[t] * source[x + t * distance], for x < width. With `add`, the sums are added
/// to those already there. The order of summation depends only on taps, distance and the instruction set. `T` is float
/// or double. Reads and writes up to kRowSlack elements (conv/engine/simd.h) past the ends.
template <class T>
void row_pass(const T* source, const T* weights, std::int64_t taps, std::int64_t distance, bool add, T* sums,
              std::int64_t width);

/// The same for taps that all have the weight `weight`. The number of additions grows with the logarithm of taps.
/// `work` is scratch space for width + (taps - 1) * distance + kRowSlack elements.
void box_row_pass(const float* source, float weight, std::int64_t taps, std::int64_t distance, float* work, float* sums,
                  std::int64_t width);

/// The input of a column pass. `In` is u8, u16, f32 or T.
template <class T, class In>
struct Columns {
  const In* const* rows;  ///< [row_count]
  const T* weights;       ///< [taps]
  std::int64_t taps, row_count;
};

/// The fewest columns of a column pass: the lanes of the widest vector.
inline constexpr std::int64_t kLeastColumns = 16;

/// sums[r * pitch + x] = sum over t < taps of weights[t] * rows[r + t][x], for r < count, x < width, in this order:
/// count = row_count - taps + 1 neighbouring rows, no more than kColumnPassRows. Reads and writes nothing past the
/// ends.
template <class T, class In>
void column_pass(const Columns<T, In>& columns, T* sums, std::int64_t pitch, std::int64_t width);

/// The same for kColumnPassRows or more taps that all have the weight columns.weights[0]: the rows that all sums of a
/// column share are added up once. The order of summation depends on r, so an output row must always have the same
/// place in its block.
void box_column_pass(const Columns<float, float>& columns, float* sums, std::int64_t pitch, std::int64_t width);

}  // namespace convtool
