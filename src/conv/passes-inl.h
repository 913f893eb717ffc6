// The row functions of passes.h for one instruction set. Included once for each by way of hwy/foreach_target.h.
//
// Both passes are one block of sums in registers, to which taps are added. What limits them is not arithmetic but
// loads: a processor that makes two multiply-adds a cycle loads two vectors, and one that is not aligned may count
// twice. So every vector that is loaded is used for several sums:
//
//   column pass   a row belongs to the windows of several output rows: kRows sums for each vector of a row
//   row pass      x + t and x + t + lanes are the same pixels for neighbouring vectors of outputs: the taps t, t + m,
//                 t + 2m, ... whose distances differ by whole vectors are taken together, up to four, and each vector
//                 loaded for the first of them is used for the others

#if defined(CONVTOOL_CONV_PASSES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_PASSES_INL_H_
#undef CONVTOOL_CONV_PASSES_INL_H_
#else
#define CONVTOOL_CONV_PASSES_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <numeric>

#include "conv/passes.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Vector = hn::Vec<hn::ScalableTag<T>>;

template <class T>
constexpr std::int64_t lanes_of() {
  return static_cast<std::int64_t>(HWY_LANES(T));
}

/// How the taps of a row pass fall into classes whose members lie whole vectors apart: t, t + step, t + 2 * step, ...
struct TapClasses {
  std::int64_t step;   // taps from one member to the next
  std::int64_t shift;  // elements from one member to the next
};

/// Adds the taps t, t + step, ..., kTaps of them, to sums that are `shift` elements apart.
template <int kSums, int kTaps, class T>
HWY_INLINE void AddClass(const T* source, const T* weights, const TapClasses& classes, Vector<T> (&sums)[kSums]) {
  const hn::ScalableTag<T> d;
  Vector<T> weight[kTaps];
  for (int q = 0; q < kTaps; ++q) weight[q] = hn::Set(d, weights[q * classes.step]);
  for (int i = 0; i < kSums + kTaps - 1; ++i) {
    const auto pixels = hn::LoadU(d, source + i * classes.shift);
    for (int q = 0; q < kTaps; ++q) {
      const int v = i - q;
      if (v >= 0 && v < kSums) sums[v] = hn::MulAdd(weight[q], pixels, sums[v]);
    }
  }
}

/// Sums for kSums vectors, `shift` elements apart, from `to` on.
template <int kSums, class T>
HWY_INLINE void RowBlock(const T* source, const T* weights, std::int64_t taps, std::int64_t distance,
                         const TapClasses& classes, T* to) {
  const hn::ScalableTag<T> d;
  Vector<T> sums[kSums];
  for (auto& sum : sums) sum = hn::Zero(d);
  for (std::int64_t first = 0; first < std::min(classes.step, taps); ++first) {
    std::int64_t t = first;
    for (; t + 3 * classes.step < taps; t += 4 * classes.step)
      AddClass<kSums, 4>(source + t * distance, weights + t, classes, sums);
    for (; t + classes.step < taps; t += 2 * classes.step)
      AddClass<kSums, 2>(source + t * distance, weights + t, classes, sums);
    if (t < taps) AddClass<kSums, 1>(source + t * distance, weights + t, classes, sums);
  }
  for (int v = 0; v < kSums; ++v) hn::StoreU(sums[v], d, to + v * classes.shift);
}

template <class T>
void RowPass(const T* source, const T* weights, std::int64_t taps, std::int64_t distance, T* sums, std::int64_t width) {
  constexpr std::int64_t kLanes = lanes_of<T>(), kMostVectorsApart = 4;
  const std::int64_t step = kLanes / std::gcd(kLanes, distance);
  const bool joined = step < taps && step * distance <= kMostVectorsApart * kLanes;
  const TapClasses classes = joined ? TapClasses{step, step * distance} : TapClasses{taps, kLanes};
  std::int64_t x = 0;
  const auto take_blocks = [&]<int kSums>() HWY_ATTR {
    for (; x + kSums * classes.shift <= width; x += kSums * classes.shift)
      for (std::int64_t at = x; at < x + classes.shift; at += kLanes)
        RowBlock<kSums>(source + at, weights, taps, distance, classes, sums + at);
  };
  take_blocks.template operator()<8>();
  take_blocks.template operator()<4>();
  for (; x < width; x += kLanes) RowBlock<1>(source + x, weights, taps, distance, classes, sums + x);
}

/// Adds row t of a term to the sums of rows r in [kFirst, kLast): it is their tap t - r.
template <int kRows, int kVectors, class T>
HWY_INLINE void AddRow(const T* row, const T* weights, int first, int last, Vector<T> (&sums)[kRows][kVectors]) {
  const hn::ScalableTag<T> d;
  Vector<T> pixels[kVectors];
  for (int v = 0; v < kVectors; ++v) pixels[v] = hn::LoadU(d, row + v * lanes_of<T>());
  for (int r = 0; r < kRows; ++r) {
    if (r < first || r >= last) continue;
    const auto weight = hn::Set(d, weights[-r]);
    for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(weight, pixels[v], sums[r][v]);
  }
}

/// kVectors vectors of kRows sums from row `r` and column `x` on. There are at least kRows - 1 taps.
template <int kRows, int kVectors, class T>
HWY_INLINE void ColumnBlock(const Columns<T>& columns, std::int64_t r, std::int64_t x, T* to, std::int64_t pitch) {
  const hn::ScalableTag<T> d;
  Vector<T> sums[kRows][kVectors];
  for (auto& row : sums)
    for (auto& sum : row) sum = hn::Zero(d);
  for (std::int64_t k = 0; k < columns.terms; ++k) {
    const T* const* rows = columns.rows + k * columns.row_count + r;
    const T* weights = columns.weights + k * columns.taps;
    for (int t = 0; t < kRows - 1; ++t) AddRow(rows[t] + x, weights + t, 0, t + 1, sums);
    for (std::int64_t t = kRows - 1; t < columns.taps; ++t) AddRow(rows[t] + x, weights + t, 0, kRows, sums);
    for (int t = 1; t < kRows; ++t)
      AddRow(rows[columns.taps + t - 1] + x, weights + columns.taps + t - 1, t, kRows, sums);
  }
  for (int row = 0; row < kRows; ++row)
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[row][v], d, to + row * pitch + v * lanes_of<T>());
}

template <int kRows, class T>
void ColumnRows(const Columns<T>& columns, std::int64_t r, T* sums, std::int64_t pitch, std::int64_t width) {
  constexpr int kVectors = kRows > 1 ? 2 : 8;
  constexpr std::int64_t kLanes = lanes_of<T>();
  std::int64_t x = 0;
  for (; x + kVectors * kLanes <= width; x += kVectors * kLanes)
    ColumnBlock<kRows, kVectors>(columns, r, x, sums + x, pitch);
  for (; x < width; x += kLanes) ColumnBlock<kRows, 1>(columns, r, x, sums + x, pitch);
}

template <class T>
void ColumnPass(const Columns<T>& columns, T* sums, std::int64_t pitch, std::int64_t width) {
  // Two vectors of eight rows are half of 32 registers; where there are 16, it is four rows.
  constexpr int kMost = HWY_TARGET <= HWY_AVX3 ? 8 : 4;
  const std::int64_t count = columns.row_count - columns.taps + 1;
  std::int64_t r = 0;
  if (columns.taps >= kMost - 1)
    for (; r + kMost <= count; r += kMost) ColumnRows<kMost>(columns, r, sums + r * pitch, pitch, width);
  if (columns.taps >= 3)
    for (; r + 4 <= count; r += 4) ColumnRows<4>(columns, r, sums + r * pitch, pitch, width);
  for (; r < count; ++r) ColumnRows<1>(columns, r, sums + r * pitch, pitch, width);
}

void FloatRowPass(const float* source, const float* weights, std::int64_t taps, std::int64_t distance, float* sums,
                  std::int64_t width) {
  RowPass(source, weights, taps, distance, sums, width);
}
void DoubleRowPass(const double* source, const double* weights, std::int64_t taps, std::int64_t distance, double* sums,
                   std::int64_t width) {
  RowPass(source, weights, taps, distance, sums, width);
}
void FloatColumnPass(const Columns<float>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  ColumnPass(columns, sums, pitch, width);
}
void DoubleColumnPass(const Columns<double>& columns, double* sums, std::int64_t pitch, std::int64_t width) {
  ColumnPass(columns, sums, pitch, width);
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
