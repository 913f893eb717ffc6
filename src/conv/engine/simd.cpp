#include "conv/engine/simd.h"

#include <algorithm>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/engine/simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/simd-inl.h"

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
