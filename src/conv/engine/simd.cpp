// The loops that sum rows process whole vectors and continue past the end of a row into its slack. So every position is
// computed by the same operations in the same order, and results do not depend on where a row is cut.

#include "conv/engine/simd.h"

#include <algorithm>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/engine/simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/registers-inl.h"
#include "conv/engine/seen_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

std::int64_t FloatLanes() { return static_cast<std::int64_t>(hn::Lanes(Floats())); }

/// The sums of one output row in kVectors neighbouring vectors.
template <int kVectors>
struct RowSums {
  hn::Vec<Floats> v[kVectors];
};

/// Adds `taps` taps that serve rows [kBegin, kEnd) of a block to `sums`, at column x. Returns the weights that follow.
template <int kBegin, int kEnd, int kVectors>
HWY_INLINE const float* AddTaps(const float* const* sources, const float* weights, std::int64_t taps, std::int64_t x,
                                RowSums<kVectors>* sums) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t t = 0; t < taps; ++t) {
    const float* source = sources[t] + x;
    RowSums<kVectors> pixels;
    for (int i = 0; i < kVectors; ++i) pixels.v[i] = hn::LoadU(d, source + i * lanes);
    for (int r = kBegin; r < kEnd; ++r) {
      const auto weight = hn::Set(d, *weights++);
      for (int i = 0; i < kVectors; ++i) sums[r].v[i] = hn::MulAdd(weight, pixels.v[i], sums[r].v[i]);
    }
  }
  return weights;
}

template <int kRows, int kVectors>
HWY_INLINE void SumColumns(const BlockTaps& taps, std::int64_t x, float* to, std::int64_t pitch, SeenSums* seen) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  RowSums<kVectors> sums[kRows];
  for (int r = 0; r < kRows; ++r)
    for (int i = 0; i < kVectors; ++i) sums[r].v[i] = hn::Zero(d);
  const float* const* sources = taps.sources;
  const float* weights = taps.weights;
  for (std::int64_t run = 0; run < taps.run_count; ++run) {
    const std::int64_t begin = taps.runs[run].begin, end = taps.runs[run].end, count = taps.runs[run].taps;
    if constexpr (kRows == 1) {
      weights = AddTaps<0, 1>(sources, weights, count, x, sums);
    } else {
      static_assert(kRows == 4);
      switch (begin * 8 + end) {
        case 0 * 8 + 1: weights = AddTaps<0, 1>(sources, weights, count, x, sums); break;
        case 0 * 8 + 2: weights = AddTaps<0, 2>(sources, weights, count, x, sums); break;
        case 0 * 8 + 3: weights = AddTaps<0, 3>(sources, weights, count, x, sums); break;
        case 0 * 8 + 4: weights = AddTaps<0, 4>(sources, weights, count, x, sums); break;
        case 1 * 8 + 2: weights = AddTaps<1, 2>(sources, weights, count, x, sums); break;
        case 1 * 8 + 3: weights = AddTaps<1, 3>(sources, weights, count, x, sums); break;
        case 1 * 8 + 4: weights = AddTaps<1, 4>(sources, weights, count, x, sums); break;
        case 2 * 8 + 3: weights = AddTaps<2, 3>(sources, weights, count, x, sums); break;
        case 2 * 8 + 4: weights = AddTaps<2, 4>(sources, weights, count, x, sums); break;
        case 3 * 8 + 4: weights = AddTaps<3, 4>(sources, weights, count, x, sums); break;
        default: HWY_DASSERT(false);
      }
    }
    sources += count;
  }
  for (int r = 0; r < kRows; ++r)
    for (int i = 0; i < kVectors; ++i) hn::StoreU(sums[r].v[i], d, to + r * pitch + i * lanes);
  if (seen == nullptr) return;
  SumsLook look(d, *seen);
  for (int r = 0; r < kRows; ++r)
    for (int i = 0; i < kVectors; ++i) look.See(sums[r].v[i]);
  look.Save(*seen);
}

/// kVectors vectors at a time, and the rest one by one.
template <int kRows, int kVectors>
HWY_INLINE void SumBlock(const BlockTaps& taps, std::int64_t x, std::int64_t count, float* sums, std::int64_t pitch,
                         SeenSums* seen) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  std::int64_t k = 0;
  for (; k + kVectors * lanes <= count; k += kVectors * lanes)
    SumColumns<kRows, kVectors>(taps, x + k, sums + k, pitch, seen);
  for (; k < count; k += lanes) SumColumns<kRows, 1>(taps, x + k, sums + k, pitch, seen);
}

// Two multiply-adds per cycle with a latency of 4 cycles need 8 independent sums. Four rows of two vectors leave room
// for pixels and a weight in 16 registers, four rows of four in 32.
constexpr int kBlockVectors = kVectorRegisters / 8;

void SumRows(const BlockTaps& taps, std::int64_t x, std::int64_t count, float* sums, std::int64_t pitch,
             SeenSums* seen) {
  if (taps.rows == 1) {
    SumBlock<1, 8>(taps, x, count, sums, pitch, seen);
  } else {
    SumBlock<4, kBlockVectors>(taps, x, count, sums, pitch, seen);
  }
}

void SplitPhases(const float* line, std::int64_t stride, std::int64_t count, float* phases, std::int64_t length) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t k = 0;
  auto p0 = hn::Zero(d), p1 = p0, p2 = p0, p3 = p0;
  if (stride == 2) {
    for (; (k + lanes) * 2 <= count; k += lanes) {
      hn::LoadInterleaved2(d, line + k * 2, p0, p1);
      hn::StoreU(p0, d, phases + k);
      hn::StoreU(p1, d, phases + length + k);
    }
  } else if (stride == 4) {
    for (; (k + lanes) * 4 <= count; k += lanes) {
      hn::LoadInterleaved4(d, line + k * 4, p0, p1, p2, p3);
      hn::StoreU(p0, d, phases + k);
      hn::StoreU(p1, d, phases + length + k);
      hn::StoreU(p2, d, phases + 2 * length + k);
      hn::StoreU(p3, d, phases + 3 * length + k);
    }
  }
  for (std::int64_t at = k * stride; at < count; ++at) phases[at % stride * length + at / stride] = line[at];
}

/// One vector of pixels, converted to floats.
template <class V>
HWY_INLINE hn::Vec<Floats> Promoted(V pixels) {
  if constexpr (std::is_same_v<hn::TFromV<V>, float>)
    return pixels;
  else
    return hn::ConvertTo(Floats(), hn::PromoteTo(hn::RebindToSigned<Floats>(), pixels));
}

template <class T>
void ContiguousToFloats(const T* pixels, std::int64_t count, float* floats) {
  const Floats d;
  const hn::Rebind<T, Floats> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t x = 0;
  for (; x + lanes <= count; x += lanes) hn::StoreU(Promoted(hn::LoadU(narrow, pixels + x)), d, floats + x);
  for (; x < count; ++x) floats[x] = static_cast<float>(pixels[x]);  // exact, so scalar code gives the same
}

void BytesToFloats(const std::uint8_t* pixels, std::int64_t count, float* floats) {
  ContiguousToFloats(pixels, count, floats);
}
void ShortsToFloats(const std::uint16_t* pixels, std::int64_t count, float* floats) {
  ContiguousToFloats(pixels, count, floats);
}

template <class T>
HWY_INLINE void ToPlanes(const T* pixels, std::int64_t channels, std::int64_t count, float* const* planes) {
  const Floats d;
  const hn::Rebind<T, Floats> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t x = 0;
  auto c0 = hn::Zero(narrow), c1 = c0, c2 = c0, c3 = c0;
  for (; x + lanes <= count; x += lanes) {
    if (channels == 2) hn::LoadInterleaved2(narrow, pixels + 2 * x, c0, c1);
    if (channels == 3) hn::LoadInterleaved3(narrow, pixels + 3 * x, c0, c1, c2);
    if (channels == 4) hn::LoadInterleaved4(narrow, pixels + 4 * x, c0, c1, c2, c3);
    hn::StoreU(Promoted(c0), d, planes[0] + x);
    hn::StoreU(Promoted(c1), d, planes[1] + x);
    if (channels > 2) hn::StoreU(Promoted(c2), d, planes[2] + x);
    if (channels > 3) hn::StoreU(Promoted(c3), d, planes[3] + x);
  }
  for (; x < count; ++x) {
    for (std::int64_t c = 0; c < channels; ++c) planes[c][x] = static_cast<float>(pixels[x * channels + c]);
  }
}
void BytesToPlanes(const std::uint8_t* pixels, std::int64_t channels, std::int64_t count, float* const* planes) {
  ToPlanes(pixels, channels, count, planes);
}
void ShortsToPlanes(const std::uint16_t* pixels, std::int64_t channels, std::int64_t count, float* const* planes) {
  ToPlanes(pixels, channels, count, planes);
}
void FloatsToPlanes(const float* pixels, std::int64_t channels, std::int64_t count, float* const* planes) {
  ToPlanes(pixels, channels, count, planes);
}

template <class T>
HWY_INLINE void Interleave(const T* const* planes, std::int64_t channels, std::int64_t count, T* pixels) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t x = 0;
  for (; x + lanes <= count; x += lanes) {
    const auto plane = [&](std::int64_t c) HWY_ATTR { return hn::LoadU(d, planes[c] + x); };
    if (channels == 2) hn::StoreInterleaved2(plane(0), plane(1), d, pixels + 2 * x);
    if (channels == 3) hn::StoreInterleaved3(plane(0), plane(1), plane(2), d, pixels + 3 * x);
    if (channels == 4) hn::StoreInterleaved4(plane(0), plane(1), plane(2), plane(3), d, pixels + 4 * x);
  }
  for (; x < count; ++x) {
    for (std::int64_t c = 0; c < channels; ++c) pixels[x * channels + c] = planes[c][x];
  }
}
void InterleaveBytes(const std::uint8_t* const* planes, std::int64_t channels, std::int64_t count,
                     std::uint8_t* pixels) {
  Interleave(planes, channels, count, pixels);
}
void InterleaveShorts(const std::uint16_t* const* planes, std::int64_t channels, std::int64_t count,
                      std::uint16_t* pixels) {
  Interleave(planes, channels, count, pixels);
}
void InterleaveFloats(const float* const* planes, std::int64_t channels, std::int64_t count, float* pixels) {
  Interleave(planes, channels, count, pixels);
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(SumRows);
HWY_EXPORT(SplitPhases);
HWY_EXPORT(BytesToFloats);
HWY_EXPORT(ShortsToFloats);
HWY_EXPORT(BytesToPlanes);
HWY_EXPORT(ShortsToPlanes);
HWY_EXPORT(FloatsToPlanes);
HWY_EXPORT(InterleaveBytes);
HWY_EXPORT(InterleaveShorts);
HWY_EXPORT(InterleaveFloats);
HWY_EXPORT(FloatLanes);

void sum_rows(const BlockTaps& taps, std::int64_t x, std::int64_t count, float* sums, std::int64_t pitch,
              SeenSums* seen) {
  HWY_DYNAMIC_DISPATCH(SumRows)(taps, x, count, sums, pitch, seen);
}

void split_phases(const float* line, std::int64_t stride, std::int64_t count, float* phases, std::int64_t length) {
  HWY_DYNAMIC_DISPATCH(SplitPhases)(line, stride, count, phases, length);
}

template <class T>
void to_floats(const T* pixels, std::int64_t step, std::int64_t count, float* floats) {
  if (step != 1) {
    for (std::int64_t x = 0; x < count; ++x) floats[x] = static_cast<float>(pixels[x * step]);
    return;
  }
  if constexpr (std::is_same_v<T, float>) std::memcpy(floats, pixels, static_cast<std::size_t>(count) * sizeof(float));
  if constexpr (std::is_same_v<T, std::uint8_t>) HWY_DYNAMIC_DISPATCH(BytesToFloats)(pixels, count, floats);
  if constexpr (std::is_same_v<T, std::uint16_t>) HWY_DYNAMIC_DISPATCH(ShortsToFloats)(pixels, count, floats);
}
template void to_floats(const std::uint8_t*, std::int64_t, std::int64_t, float*);
template void to_floats(const std::uint16_t*, std::int64_t, std::int64_t, float*);
template void to_floats(const float*, std::int64_t, std::int64_t, float*);

template <>
void to_planes(const std::uint8_t* pixels, std::int64_t channels, std::int64_t count, float* const* planes) {
  HWY_DYNAMIC_DISPATCH(BytesToPlanes)(pixels, channels, count, planes);
}
template <>
void to_planes(const std::uint16_t* pixels, std::int64_t channels, std::int64_t count, float* const* planes) {
  HWY_DYNAMIC_DISPATCH(ShortsToPlanes)(pixels, channels, count, planes);
}
template <>
void to_planes(const float* pixels, std::int64_t channels, std::int64_t count, float* const* planes) {
  HWY_DYNAMIC_DISPATCH(FloatsToPlanes)(pixels, channels, count, planes);
}

template <>
void interleave(const std::uint8_t* const* planes, std::int64_t channels, std::int64_t count, std::uint8_t* pixels) {
  HWY_DYNAMIC_DISPATCH(InterleaveBytes)(planes, channels, count, pixels);
}
template <>
void interleave(const std::uint16_t* const* planes, std::int64_t channels, std::int64_t count, std::uint16_t* pixels) {
  HWY_DYNAMIC_DISPATCH(InterleaveShorts)(planes, channels, count, pixels);
}
template <>
void interleave(const float* const* planes, std::int64_t channels, std::int64_t count, float* pixels) {
  HWY_DYNAMIC_DISPATCH(InterleaveFloats)(planes, channels, count, pixels);
}

std::int64_t float_lanes() { return HWY_DYNAMIC_DISPATCH(FloatLanes)(); }

}  // namespace convtool
#endif
