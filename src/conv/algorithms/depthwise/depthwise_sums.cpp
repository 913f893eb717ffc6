#include "conv/algorithms/depthwise/depthwise_sums.h"

#include <atomic>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/depthwise/depthwise_sums.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/pixel_sums-inl.h"
#include "conv/engine/registers-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Sums kPixels pixels from `first` on, vector by vector. Three taps share their loads where pixels are kStride taps
/// apart; kStride 0 stands for any other distance. `There` is Everywhere or Within.
template <int kStride, int kPixels, class There>
void SumPixels(const DepthwiseRow& row, std::int64_t first, float* to, FloatsLook& look) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(PixelFloats()));
  const auto is_there = [&](std::int64_t column, std::int64_t step) HWY_ATTR {
    if constexpr (std::is_same_v<There, Within>)
      return Within{column, step, row.there.begin, row.there.end};
    else
      return Everywhere();
  };
  for (std::int64_t c = 0; c < row.pitch; c += lanes) {
    PixelSums<kPixels> sums;
    const float* weights = row.weights + c;
    for (std::int64_t u = 0; u < row.kh; ++u) {
      const float* inputs = row.inputs[u] + c;
      std::int64_t column = first * row.stride, v = 0;
      if constexpr (kStride > 0) {
        for (; v + 3 <= row.kw; v += 3, column += 3 * row.dilation, weights += 3 * row.pitch)
          sums.template AddTaps<LoadVector, kStride, 3>(inputs, (column - row.first) * row.column,
                                                        row.dilation * row.column, weights, row.pitch,
                                                        is_there(column, row.dilation));
      }
      for (; v < row.kw; ++v, column += row.dilation, weights += row.pitch)
        sums.template AddTaps<LoadVector, 1, 1>(inputs, (column - row.first) * row.column, row.stride * row.column,
                                                weights, 0, is_there(column, row.stride));
    }
    sums.Store(to + first * row.pitch + c, row.pitch);
    sums.Show(look);
  }
}

/// Whether every column that a tile of kPixels pixels sees exists.
template <int kPixels>
HWY_INLINE bool IsInside(const DepthwiseRow& row, std::int64_t first) {
  const std::int64_t end = (first + kPixels - 1) * row.stride + (row.kw - 1) * row.dilation + 1;
  return row.there.begin <= first * row.stride && end <= row.there.end;
}

/// Sums the pixels from `first` on by Tile::Sum<pixels>(first), kPixels at a time. The last tile may overlap the one
/// before.
template <int kPixels, class Tile>
void SumTiles(const DepthwiseRow& row, std::int64_t first, Tile& tile) {
  for (; first + kPixels <= row.pixels; first += kPixels) tile.template Sum<kPixels>(first);
  if (first == row.pixels) return;
  constexpr int kFewer = (kPixels + 1) / 2;
  if (row.pixels >= kPixels && row.pixels - first > kFewer)
    tile.template Sum<kPixels>(row.pixels - kPixels);
  else if constexpr (kPixels > 1)
    SumTiles<kFewer>(row, first, tile);
}

/// A tile of one row.
template <int kStride>
struct RowTile {
  const DepthwiseRow& row;
  float* sums;
  FloatsLook& look;

  template <int kPixels>
  HWY_INLINE void Sum(std::int64_t first) {
    if (IsInside<kPixels>(row, first))
      SumPixels<kStride, kPixels, Everywhere>(row, first, sums, look);
    else
      SumPixels<kStride, kPixels, Within>(row, first, sums, look);
  }
};

/// The most sums that fit in the registers with three weights and an input.
constexpr int kMostPixelSums = kVectorRegisters == 32 ? 14 : 8;

void SumDepthwise(const DepthwiseRow& row, float* sums, SeenSums* seen) {
  SeenSums unused;
  SeenSums& all = seen != nullptr ? *seen : unused;
  FloatsLook look(PixelFloats(), all);
  const auto sum = [&](auto tile) HWY_ATTR { SumTiles<kMostPixelSums>(row, 0, tile); };
  if (row.stride == row.dilation)
    sum(RowTile<1>{row, sums, look});
  else if (row.stride == 2 * row.dilation)
    sum(RowTile<2>{row, sums, look});
  else
    sum(RowTile<0>{row, sums, look});
  look.Save(all);
}

/// The sums of kPixels pixels in each of two rows, one vector of channels of each, for a 3x3 kernel. Each input is
/// loaded once for all of them, and each weight once. Indices are constants, as in PixelSums.
template <int kStride, int kPixels>
class PairSums {
 public:
  HWY_INLINE PairSums(const float* weights, std::int64_t pitch) {
    Clear(Sums());
    LoadWeights(weights, pitch, std::make_integer_sequence<int, 9>());
  }

  /// Adds what the sums see of the kStride + 3 input rows, from `at` on, whose columns are `step` apart.
  template <class IsThere>
  HWY_INLINE void AddRows(const float* const* rows, std::int64_t at, std::int64_t step, IsThere is_there) {
    AddRows(rows, at, step, is_there, std::make_integer_sequence<int, kStride + 3>());
  }

  /// Stores the sums of pixel p at top[p * pitch] and bottom[p * pitch].
  HWY_INLINE void Store(float* top, float* bottom, std::int64_t pitch) const { Store(top, bottom, pitch, Sums()); }

  HWY_INLINE void Show(FloatsLook& look) const { Show(look, Sums()); }

 private:
  using Sums = std::make_integer_sequence<int, 2 * kPixels>;

  template <int... I>
  HWY_INLINE void Clear(std::integer_sequence<int, I...>) {
    ((sums_[I] = hn::Zero(PixelFloats())), ...);
  }

  template <int... T>
  HWY_INLINE void LoadWeights(const float* weights, std::int64_t pitch, std::integer_sequence<int, T...>) {
    ((weights_[T] = hn::LoadU(PixelFloats(), weights + T * pitch)), ...);
  }

  template <class IsThere, int... Y>
  HWY_INLINE void AddRows(const float* const* rows, std::int64_t at, std::int64_t step, IsThere is_there,
                          std::integer_sequence<int, Y...>) {
    using Columns = std::make_integer_sequence<int, (kPixels - 1) * kStride + 3>;
    ((rows[Y] != nullptr ? AddInputs<Y>(rows[Y], at, step, is_there, Columns()) : void()), ...);
  }

  template <int kRow, class IsThere, int... I>
  HWY_INLINE void AddInputs(const float* inputs, std::int64_t at, std::int64_t step, IsThere is_there,
                            std::integer_sequence<int, I...>) {
    ((is_there(I) ? AddInput<kRow, I>(hn::LoadU(PixelFloats(), inputs + at), Sums()) : void(), at += step), ...);
  }

  template <int kRow, int kColumn, int... I>
  HWY_INLINE void AddInput(PixelVector input, std::integer_sequence<int, I...>) {
    std::atomic_signal_fence(std::memory_order_acq_rel);  // as in PixelSums
    (AddProduct<I, kRow - kStride*(I / kPixels), kColumn - kStride*(I % kPixels)>(input), ...);
  }

  template <int kSum, int u, int v>
  HWY_INLINE void AddProduct(PixelVector input) {
    if constexpr (u >= 0 && u < 3 && v >= 0 && v < 3) sums_[kSum] = hn::MulAdd(weights_[u * 3 + v], input, sums_[kSum]);
  }

  template <int... I>
  HWY_INLINE void Store(float* top, float* bottom, std::int64_t pitch, std::integer_sequence<int, I...>) const {
    (hn::StoreU(sums_[I], PixelFloats(), (I < kPixels ? top : bottom) + I % kPixels * pitch), ...);
  }

  template <int... I>
  HWY_INLINE void Show(FloatsLook& look, std::integer_sequence<int, I...>) const {
    (look.See(sums_[I]), ...);
  }

  PixelVector sums_[2 * kPixels], weights_[9];
};

/// A tile of two rows.
template <int kStride>
struct PairTile {
  const DepthwiseRow& row;
  float *top, *bottom;
  FloatsLook& look;

  template <int kPixels>
  HWY_INLINE void Sum(std::int64_t first) {
    if (IsInside<kPixels>(row, first))
      SumPixels<kPixels>(first, Everywhere());
    else
      SumPixels<kPixels>(first, Within{first * kStride, 1, row.there.begin, row.there.end});
  }

  template <int kPixels, class IsThere>
  void SumPixels(std::int64_t first, IsThere is_there) {
    const std::int64_t at = (first * row.stride - row.first) * row.column;
    for (std::int64_t c = 0; c < row.pitch; c += static_cast<std::int64_t>(hn::Lanes(PixelFloats()))) {
      PairSums<kStride, kPixels> sums(row.weights + c, row.pitch);
      sums.AddRows(row.inputs, at + c, row.column, is_there);
      const std::int64_t place = first * row.pitch + c;
      sums.Store(top + place, bottom + place, row.pitch);
      sums.Show(look);
    }
  }
};

/// The pixels in each row of a pair. With 16 registers, no more sums fit beside nine weights and an input. With 32,
/// tiles of 3 to 8 took about as long (Zen 5).
constexpr int kPairPixels = kVectorRegisters == 32 ? 4 : 3;

void SumDepthwisePair(const DepthwiseRow& row, float* top, float* bottom, SeenSums* seen) {
  SeenSums unused;
  SeenSums& all = seen != nullptr ? *seen : unused;
  FloatsLook look(PixelFloats(), all);
  const auto sum = [&](auto tile) HWY_ATTR { SumTiles<kPairPixels>(row, 0, tile); };
  if (row.stride == 1)
    sum(PairTile<1>{row, top, bottom, look});
  else
    sum(PairTile<2>{row, top, bottom, look});
  look.Save(all);
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(SumDepthwise);
HWY_EXPORT(SumDepthwisePair);

void sum_depthwise(const DepthwiseRow& row, float* sums, SeenSums* seen) {
  HWY_DYNAMIC_DISPATCH(SumDepthwise)(row, sums, seen);
}

void sum_depthwise_pair(const DepthwiseRow& row, float* top, float* bottom, SeenSums* seen) {
  HWY_DYNAMIC_DISPATCH(SumDepthwisePair)(row, top, bottom, seen);
}

}  // namespace convtool
#endif
