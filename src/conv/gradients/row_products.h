// Dot products of rows of floats with each other, many at a time: the row function of tap_products.h. Internal to
// conv/.
#pragma once

#include <cstdint>

namespace convtool {

/// Several lists of rows, side by side: row i of list k is rows[i * pitch + k]. kRowSlack (simd.h) floats past the end
/// of each row may be read.
struct RowLists {
  const float* const* rows = nullptr;
  std::int64_t count = 0;  ///< lists
  std::int64_t pitch = 0;

  RowLists part(std::int64_t begin, std::int64_t end) const { return {rows + begin, end - begin, pitch}; }
};

/// sums[a * pitch + b] += the sum over i < height and k < width of row i of list a of `left`, at k, times row i of list
/// b of `right`, at k. `Sum` is the type of the sums: float, by fused multiply-adds where the instruction set has them,
/// or double, in which products of floats are exact. Results differ between instruction sets by rounding.
template <class Sum>
void add_row_products(const RowLists& left, const RowLists& right, std::int64_t height, std::int64_t width,
                      double* sums, std::int64_t pitch);

}  // namespace convtool
