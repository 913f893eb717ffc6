// Row functions of separable filters: a pass along rows and one along columns, compiled for every instruction set.
// Internal to conv/; the texts are passes-inl.h's.
#pragma once

#include <cstdint>

namespace convtool {

/// The column pass makes no more rows than this at once.
inline constexpr std::int64_t kColumnPassRows = 8;

/// sums[x] = sum over t < taps of weights[t] * source[x + t * distance], for x < width. The order of summing depends on
/// taps, distance and the instruction set alone. `T` is float or double. Reads and writes up to kRowSlack elements
/// (conv/simd.h) past the ends.
template <class T>
void row_pass(const T* source, const T* weights, std::int64_t taps, std::int64_t distance, T* sums, std::int64_t width);

/// What a column pass reads: for each of `terms` terms a list of rows and a list of weights.
template <class T>
struct Columns {
  const T* const* rows;  ///< [terms][row_count]
  const T* weights;      ///< [terms][taps]
  std::int64_t terms, taps, row_count;
};

/// sums[r * pitch + x] = sum over k < terms, t < taps of weights[k][t] * rows[k][r + t][x], for r < count, x < width,
/// in this order: count = row_count - taps + 1 neighbouring rows, no more than kColumnPassRows. Reads and writes up to
/// kRowSlack elements past the ends of rows.
template <class T>
void column_pass(const Columns<T>& columns, T* sums, std::int64_t pitch, std::int64_t width);

}  // namespace convtool
