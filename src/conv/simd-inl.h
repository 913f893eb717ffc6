// The row functions of simd.h for one instruction set. Included once for each by way of hwy/foreach_target.h.
//
// What runs over rows here takes whole vectors and goes past the end of the row into its slack, so that every position
// is computed by the same operations in the same order: results do not depend on where a row is cut.

#if defined(CONVTOOL_CONV_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_SIMD_INL_H_
#undef CONVTOOL_CONV_SIMD_INL_H_
#else
#define CONVTOOL_CONV_SIMD_INL_H_
#endif

#include <hwy/highway.h>

#include "conv/simd.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

std::int64_t FloatLanes() { return static_cast<std::int64_t>(hn::Lanes(Floats())); }

/// Sums for `kVectors` vectors from x on. Eight keep eight independent chains of multiply-adds going, which is what
/// hides their latency of 4 cycles at two a cycle.
template <int kVectors>
HWY_INLINE void SumVectors(const float* const* sources, const float* weights, std::int64_t taps, float* sums,
                           std::int64_t x) {
  static_assert(kVectors == 1 || kVectors == 8);
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if constexpr (kVectors == 1) {
    auto sum = hn::Zero(d);
    for (std::int64_t t = 0; t < taps; ++t) sum = hn::MulAdd(hn::Set(d, weights[t]), hn::LoadU(d, sources[t] + x), sum);
    hn::StoreU(sum, d, sums + x);
  } else {
    auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    for (std::int64_t t = 0; t < taps; ++t) {
      const auto weight = hn::Set(d, weights[t]);
      const float* source = sources[t] + x;
      s0 = hn::MulAdd(weight, hn::LoadU(d, source), s0);
      s1 = hn::MulAdd(weight, hn::LoadU(d, source + lanes), s1);
      s2 = hn::MulAdd(weight, hn::LoadU(d, source + 2 * lanes), s2);
      s3 = hn::MulAdd(weight, hn::LoadU(d, source + 3 * lanes), s3);
      s4 = hn::MulAdd(weight, hn::LoadU(d, source + 4 * lanes), s4);
      s5 = hn::MulAdd(weight, hn::LoadU(d, source + 5 * lanes), s5);
      s6 = hn::MulAdd(weight, hn::LoadU(d, source + 6 * lanes), s6);
      s7 = hn::MulAdd(weight, hn::LoadU(d, source + 7 * lanes), s7);
    }
    hn::StoreU(s0, d, sums + x);
    hn::StoreU(s1, d, sums + x + lanes);
    hn::StoreU(s2, d, sums + x + 2 * lanes);
    hn::StoreU(s3, d, sums + x + 3 * lanes);
    hn::StoreU(s4, d, sums + x + 4 * lanes);
    hn::StoreU(s5, d, sums + x + 5 * lanes);
    hn::StoreU(s6, d, sums + x + 6 * lanes);
    hn::StoreU(s7, d, sums + x + 7 * lanes);
  }
}

void SumTaps(const float* const* sources, const float* weights, std::int64_t taps, float* sums, std::int64_t width) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  std::int64_t x = 0;
  for (; x + 8 * lanes <= width; x += 8 * lanes) SumVectors<8>(sources, weights, taps, sums, x);
  for (; x < width; x += lanes) SumVectors<1>(sources, weights, taps, sums, x);
}

/// As many bytes or shorts as there are floats in a vector, as floats.
template <class V>
HWY_INLINE hn::Vec<Floats> Promoted(V pixels) {
  return hn::ConvertTo(Floats(), hn::PromoteTo(hn::RebindToSigned<Floats>(), pixels));
}

template <class T>
void ContiguousToFloats(const T* pixels, std::int64_t count, float* floats) {
  const Floats d;
  const hn::Rebind<T, Floats> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t x = 0;
  for (; x + lanes <= count; x += lanes) hn::StoreU(Promoted(hn::LoadU(narrow, pixels + x)), d, floats + x);
  for (; x < count; ++x) floats[x] = static_cast<float>(pixels[x]);  // exact, and so the same by any way
}

void BytesToFloats(const std::uint8_t* pixels, std::int64_t count, float* floats) {
  ContiguousToFloats(pixels, count, floats);
}
void ShortsToFloats(const std::uint16_t* pixels, std::int64_t count, float* floats) {
  ContiguousToFloats(pixels, count, floats);
}

void BytesToPlanes(const std::uint8_t* pixels, std::int64_t channels, std::int64_t count, float* const* planes) {
  const Floats d;
  const hn::Rebind<std::uint8_t, Floats> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t x = 0;
  auto c0 = hn::Zero(narrow), c1 = c0, c2 = c0, c3 = c0;
  for (; x + lanes <= count; x += lanes) {
    if (channels == 3) {
      hn::LoadInterleaved3(narrow, pixels + 3 * x, c0, c1, c2);
    } else {
      hn::LoadInterleaved4(narrow, pixels + 4 * x, c0, c1, c2, c3);
      hn::StoreU(Promoted(c3), d, planes[3] + x);
    }
    hn::StoreU(Promoted(c0), d, planes[0] + x);
    hn::StoreU(Promoted(c1), d, planes[1] + x);
    hn::StoreU(Promoted(c2), d, planes[2] + x);
  }
  for (; x < count; ++x) {
    for (std::int64_t c = 0; c < channels; ++c) planes[c][x] = static_cast<float>(pixels[x * channels + c]);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
