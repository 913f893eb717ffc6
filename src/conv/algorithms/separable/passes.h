// Row functions of separable filters: a pass along rows and one along columns, compiled for every instruction set.
// Internal to conv/; the texts are passes-inl.h's.
#pragma once

#include <cstdint>

namespace convtool {

/// The column pass makes no more rows than this at once.
inline constexpr std::int64_t kColumnPassRows = 8;

/// sums[x] = sum over t < taps of weights[t] * source[x + t * distance], for x < width; `add`: in addition to what is
/// there. The order of summing depends on taps, distance and the instruction set alone. `T` is float or double. Reads
/// and writes up to kRowSlack elements (conv/engine/simd.h) past the ends.
template <class T>
void row_pass(const T* source, const T* weights, std::int64_t taps, std::int64_t distance, bool add, T* sums,
              std::int64_t width);

/// The same for weights that are all `weight`, in a number of additions that grows with the logarithm of taps. `work`
/// is scratch of width + (taps - 1) * distance elements and kRowSlack.
void box_row_pass(const float* source, float weight, std::int64_t taps, std::int64_t distance, float* work, float* sums,
                  std::int64_t width);

/// The input of a column pass. `In` is u8, u16, f32 or T.
template <class T, class In>
struct Columns {
  const In* const* rows;  ///< [row_count]
  const T* weights;       ///< [taps]
  std::int64_t taps, row_count;
};

/// Column passes make no fewer columns than this, the lanes of the widest vector.
inline constexpr std::int64_t kLeastColumns = 16;

/// sums[r * pitch + x] = sum over t < taps of weights[t] * rows[r + t][x], for r < count, x < width, in this order:
/// count = row_count - taps + 1 neighbouring rows, no more than kColumnPassRows. Reads and writes nothing past the
/// ends.
template <class T, class In>
void column_pass(const Columns<T, In>& columns, T* sums, std::int64_t pitch, std::int64_t width);

/// The same for weights that are all columns.weights[0], of kColumnPassRows taps or more: the rows that all sums of a
/// column share are added up once. The order of summing depends on r, so each output row must always be the same one of
/// its block.
void box_column_pass(const Columns<float, float>& columns, float* sums, std::int64_t pitch, std::int64_t width);

}  // namespace convtool
