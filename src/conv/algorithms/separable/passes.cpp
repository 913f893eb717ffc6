// Both passes add taps to a block of sums in registers. They are limited by loads, not by arithmetic: a processor that
// does two multiply-adds per cycle loads two vectors per cycle, and an unaligned one may count twice. So each loaded
// vector is used for several sums:
//
//   column pass   a row belongs to the windows of several output rows: kRows sums for each vector of a row
//   row pass      x + t and x + t + lanes are the same pixels for neighbouring vectors of outputs: up to four taps t,
//                 t + m, t + 2m, ... that are whole vectors apart are taken together, and each vector loaded for the
//                 first of them is used for the others

#include "conv/algorithms/separable/passes.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <numeric>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/separable/passes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/registers-inl.h"

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

/// Adds the kIndex-th vector of a row to all sums that have a tap there. Taps are kApart vectors apart.
template <int kIndex, int kApart, class T, int kTaps, int kSums>
HWY_INLINE void AddVector(const T* source, const Vector<T> (&weights)[kTaps], Vector<T> (&sums)[kSums]) {
  const auto pixels = hn::LoadU(hn::ScalableTag<T>(), source + kIndex * lanes_of<T>());
  // This emits no instruction, but without it GCC loads the vector once for each of two taps.
  std::atomic_signal_fence(std::memory_order_acq_rel);
  for (int q = 0; q < kTaps; ++q) {
    const int v = kIndex - kApart * q;
    if (v >= 0 && v < kSums) sums[v] = hn::MulAdd(weights[q], pixels, sums[v]);
  }
}

/// Adds kTaps taps to the sums. Taps are `step` apart in the kernel, and kApart vectors apart in the row.
template <int kTaps, int kApart, class T, int kSums>
HWY_INLINE void AddTaps(const T* source, const T* weights, std::int64_t step, Vector<T> (&sums)[kSums]) {
  Vector<T> weight[kTaps];
  for (int q = 0; q < kTaps; ++q) weight[q] = hn::Set(hn::ScalableTag<T>(), weights[q * step]);
  const auto add_vectors = [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) HWY_ATTR {
    (AddVector<kIndex, kApart>(source, weight, sums), ...);  // unrolled, so that sums are registers
  };
  add_vectors(std::make_integer_sequence<int, kSums + kApart*(kTaps - 1)>());
}

/// kSums vectors of sums. Taps t, t + step, t + 2 * step, ... are kApart vectors apart.
template <int kSums, int kApart, class T>
HWY_INLINE void RowBlock(const T* source, const T* weights, std::int64_t taps, std::int64_t distance, std::int64_t step,
                         bool add, T* to) {
  const hn::ScalableTag<T> d;
  Vector<T> sums[kSums];
  for (int v = 0; v < kSums; ++v) sums[v] = add ? hn::LoadU(d, to + v * lanes_of<T>()) : hn::Zero(d);
  for (std::int64_t first = 0; first < std::min(step, taps); ++first) {
    std::int64_t t = first;
    for (; t + 3 * step < taps; t += 4 * step) AddTaps<4, kApart>(source + t * distance, weights + t, step, sums);
    for (; t + step < taps; t += 2 * step) AddTaps<2, kApart>(source + t * distance, weights + t, step, sums);
    if (t < taps) AddTaps<1, kApart>(source + t * distance, weights + t, step, sums);
  }
  for (int v = 0; v < kSums; ++v) hn::StoreU(sums[v], d, to + v * lanes_of<T>());
}

template <int kApart, class T>
void RowBlocks(const T* source, const T* weights, std::int64_t taps, std::int64_t distance, std::int64_t step, bool add,
               T* sums, std::int64_t width) {
  constexpr int kMost = kVectorRegisters / 2;
  constexpr std::int64_t kLanes = lanes_of<T>();
  std::int64_t x = 0;
  for (; x + kMost * kLanes <= width; x += kMost * kLanes)
    RowBlock<kMost, kApart>(source + x, weights, taps, distance, step, add, sums + x);
  for (; x + 4 * kLanes <= width; x += 4 * kLanes)
    RowBlock<4, kApart>(source + x, weights, taps, distance, step, add, sums + x);
  for (; x < width; x += kLanes) RowBlock<1, kApart>(source + x, weights, taps, distance, step, add, sums + x);
}

template <class T>
void RowPass(const T* source, const T* weights, std::int64_t taps, std::int64_t distance, bool add, T* sums,
             std::int64_t width) {
  const std::int64_t step = lanes_of<T>() / std::gcd(lanes_of<T>(), distance);
  const std::int64_t apart = step * distance / lanes_of<T>();
  if (apart == 1) return RowBlocks<1>(source, weights, taps, distance, step, add, sums, width);
  if (apart == 3) return RowBlocks<3>(source, weights, taps, distance, step, add, sums, width);
  RowBlocks<1>(source, weights, taps, distance, taps, add, sums, width);
}

/// A vector of T from pixels of any type.
template <class T, class In>
HWY_INLINE Vector<T> LoadPixels(const In* pixels) {
  const hn::ScalableTag<T> d;
  const auto loaded = hn::LoadU(hn::Rebind<In, decltype(d)>(), pixels);
  if constexpr (std::is_same_v<In, T>)
    return loaded;
  else if constexpr (std::is_same_v<In, float>)
    return hn::PromoteTo(d, loaded);
  else if constexpr (std::is_same_v<T, float>)
    return hn::ConvertTo(d, hn::PromoteTo(hn::RebindToSigned<decltype(d)>(), loaded));
  else
    return hn::PromoteTo(d, hn::PromoteTo(hn::Rebind<std::int32_t, decltype(d)>(), loaded));
}

/// Adds row t to the sums of rows r in [first, last): it is their tap t - r. `weights` points at weight t.
template <int kRows, int kVectors, class T, class In>
HWY_INLINE void AddRow(const In* row, const T* weights, int first, int last, Vector<T> (&sums)[kRows][kVectors]) {
  const hn::ScalableTag<T> d;
  Vector<T> pixels[kVectors];
  for (int v = 0; v < kVectors; ++v) pixels[v] = LoadPixels<T>(row + v * lanes_of<T>());
  for (int r = 0; r < kRows; ++r) {
    if (r < first || r >= last) continue;
    const auto weight = hn::Set(d, weights[-r]);
    for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(weight, pixels[v], sums[r][v]);
  }
}

/// kVectors vectors of kRows sums from row `r` and column `x` on. There are at least kRows - 1 taps.
template <int kRows, int kVectors, class T, class In>
HWY_INLINE void ColumnBlock(const Columns<T, In>& columns, std::int64_t r, std::int64_t x, T* to, std::int64_t pitch) {
  const hn::ScalableTag<T> d;
  Vector<T> sums[kRows][kVectors];
  for (auto& row : sums)
    for (auto& sum : row) sum = hn::Zero(d);
  const In* const* rows = columns.rows + r;
  const T* weights = columns.weights;
  for (int t = 0; t < kRows - 1; ++t) AddRow(rows[t] + x, weights + t, 0, t + 1, sums);
  for (std::int64_t t = kRows - 1; t < columns.taps; ++t) AddRow(rows[t] + x, weights + t, 0, kRows, sums);
  for (int t = 1; t < kRows; ++t)
    AddRow(rows[columns.taps + t - 1] + x, weights + columns.taps + t - 1, t, kRows, sums);
  for (int row = 0; row < kRows; ++row)
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[row][v], d, to + row * pitch + v * lanes_of<T>());
}

template <int kRows, class T, class In>
void ColumnRows(const Columns<T, In>& columns, std::int64_t r, T* sums, std::int64_t pitch, std::int64_t width) {
  constexpr int kVectors = kRows > 1 ? 2 : 8;
  constexpr std::int64_t kLanes = lanes_of<T>();
  std::int64_t x = 0;
  for (; x + kVectors * kLanes <= width; x += kVectors * kLanes)
    ColumnBlock<kRows, kVectors>(columns, r, x, sums + x, pitch);
  for (; x < width; x += kLanes) {
    const std::int64_t at = std::min(x, width - kLanes);  // the last vector may overlap the previous one
    ColumnBlock<kRows, 1>(columns, r, at, sums + at, pitch);
  }
}

template <class T, class In>
HWY_INLINE void ColumnPass(const Columns<T, In>& columns, T* sums, std::int64_t pitch, std::int64_t width) {
  constexpr int kMost = kVectorRegisters / 4;  // two vectors of each row are half the registers
  const std::int64_t count = columns.row_count - columns.taps + 1;
  std::int64_t r = 0;
  if (columns.taps >= kMost - 1)
    for (; r + kMost <= count; r += kMost) ColumnRows<kMost>(columns, r, sums + r * pitch, pitch, width);
  if (columns.taps >= 3)
    for (; r + 4 <= count; r += 4) ColumnRows<4>(columns, r, sums + r * pitch, pitch, width);
  for (; r < count; ++r) ColumnRows<1>(columns, r, sums + r * pitch, pitch, width);
}

/// A window of 2 m taps is two windows of m, and one of 2 m + 1 has one tap more. So the sums of windows grow in place,
/// following the binary digits of `taps` from the highest on. The weight is applied when a pixel is first added.
void BoxRowPass(const float* source, float weight, std::int64_t taps, std::int64_t distance, float* work, float* sums,
                std::int64_t width) {
  const hn::ScalableTag<float> d;
  const auto factor = hn::Set(d, weight);
  const auto load = [&](const float* from) HWY_ATTR { return hn::LoadU(d, from); };
  std::int64_t window = 1;
  for (int bit = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(taps))) - 2; bit >= 0; --bit) {
    const std::int64_t half = window * distance, odd = taps >> bit & 1;
    const bool first = window == 1;
    window = 2 * window + odd;
    const std::int64_t last = (window - 1) * distance, length = width + (taps - window) * distance;
    float* to = bit == 0 ? sums : work;
    for (std::int64_t x = 0; x < length; x += lanes_of<float>()) {
      auto sum = first ? hn::MulAdd(factor, load(source + x + half), hn::Mul(factor, load(source + x)))
                       : hn::Add(load(work + x), load(work + x + half));
      if (odd == 1) sum = hn::MulAdd(factor, load(source + x + last), sum);
      hn::StoreU(sum, d, to + x);
    }
  }
}

/// Sums of kColumnPassRows output rows, vector by vector. The rows that all windows share are added up once; the rows
/// above them belong to the first windows only, the rows below to the last windows only.
void BoxColumnPass(const Columns<float, float>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  constexpr int kRows = kColumnPassRows;
  const hn::ScalableTag<float> d;
  const auto weight = hn::Set(d, columns.weights[0]);
  const std::int64_t taps = columns.taps, count = columns.row_count - taps + 1;
  for (std::int64_t step = 0; step < width; step += lanes_of<float>()) {
    const std::int64_t x = std::min(step, width - lanes_of<float>());  // the last vector may overlap the one before
    const auto add = [&](std::int64_t row, Vector<float> sum)
                         HWY_ATTR { return hn::MulAdd(weight, hn::LoadU(d, columns.rows[row] + x), sum); };
    auto shared = hn::Zero(d);
    for (std::int64_t t = kRows - 1; t < taps; ++t) shared = add(t, shared);
    auto before = hn::Zero(d);
    alignas(64) float first[kRows][lanes_of<float>()];
    for (int r = kRows - 1; r >= 0; --r) {
      if (r < kRows - 1) before = add(r, before);
      hn::Store(hn::Add(before, shared), d, first[r]);
    }
    auto after = hn::Zero(d);
    for (std::int64_t r = 0; r < count; ++r) {
      if (r > 0) after = add(taps + r - 1, after);
      hn::StoreU(hn::Add(hn::Load(d, first[r]), after), d, sums + r * pitch + x);
    }
  }
}

void FloatRowPass(const float* source, const float* weights, std::int64_t taps, std::int64_t distance, bool add,
                  float* sums, std::int64_t width) {
  RowPass(source, weights, taps, distance, add, sums, width);
}
void DoubleRowPass(const double* source, const double* weights, std::int64_t taps, std::int64_t distance, bool add,
                   double* sums, std::int64_t width) {
  RowPass(source, weights, taps, distance, add, sums, width);
}
void FloatColumnsOfBytes(const Columns<float, std::uint8_t>& columns, float* sums, std::int64_t pitch,
                         std::int64_t width) {
  ColumnPass(columns, sums, pitch, width);
}
void FloatColumnsOfShorts(const Columns<float, std::uint16_t>& columns, float* sums, std::int64_t pitch,
                          std::int64_t width) {
  ColumnPass(columns, sums, pitch, width);
}
void FloatColumnsOfFloats(const Columns<float, float>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  ColumnPass(columns, sums, pitch, width);
}
void DoubleColumnsOfBytes(const Columns<double, std::uint8_t>& columns, double* sums, std::int64_t pitch,
                          std::int64_t width) {
  ColumnPass(columns, sums, pitch, width);
}
void DoubleColumnsOfShorts(const Columns<double, std::uint16_t>& columns, double* sums, std::int64_t pitch,
                           std::int64_t width) {
  ColumnPass(columns, sums, pitch, width);
}
void DoubleColumnsOfFloats(const Columns<double, float>& columns, double* sums, std::int64_t pitch,
                           std::int64_t width) {
  ColumnPass(columns, sums, pitch, width);
}
void DoubleColumnsOfDoubles(const Columns<double, double>& columns, double* sums, std::int64_t pitch,
                            std::int64_t width) {
  ColumnPass(columns, sums, pitch, width);
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(FloatRowPass);
HWY_EXPORT(DoubleRowPass);
HWY_EXPORT(FloatColumnsOfBytes);
HWY_EXPORT(FloatColumnsOfShorts);
HWY_EXPORT(FloatColumnsOfFloats);
HWY_EXPORT(DoubleColumnsOfBytes);
HWY_EXPORT(DoubleColumnsOfShorts);
HWY_EXPORT(DoubleColumnsOfFloats);
HWY_EXPORT(DoubleColumnsOfDoubles);
HWY_EXPORT(BoxRowPass);
HWY_EXPORT(BoxColumnPass);

template <>
void row_pass(const float* source, const float* weights, std::int64_t taps, std::int64_t distance, bool add,
              float* sums, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(FloatRowPass)(source, weights, taps, distance, add, sums, width);
}
template <>
void row_pass(const double* source, const double* weights, std::int64_t taps, std::int64_t distance, bool add,
              double* sums, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleRowPass)(source, weights, taps, distance, add, sums, width);
}

template <>
void column_pass(const Columns<float, std::uint8_t>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(FloatColumnsOfBytes)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<float, std::uint16_t>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(FloatColumnsOfShorts)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<float, float>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(FloatColumnsOfFloats)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<double, std::uint8_t>& columns, double* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleColumnsOfBytes)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<double, std::uint16_t>& columns, double* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleColumnsOfShorts)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<double, float>& columns, double* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleColumnsOfFloats)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<double, double>& columns, double* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleColumnsOfDoubles)(columns, sums, pitch, width);
}

void box_row_pass(const float* source, float weight, std::int64_t taps, std::int64_t distance, float* work, float* sums,
                  std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(BoxRowPass)(source, weight, taps, distance, work, sums, width);
}

void box_column_pass(const Columns<float, float>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(BoxColumnPass)(columns, sums, pitch, width);
}

}  // namespace convtool
#endif
