// The epilogue of pixels with many interleaved channels (finish.h). Included once per instruction set through
// hwy/foreach_target.h.

#if defined(CONVTOOL_CONV_FINISH_PIXELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_FINISH_PIXELS_INL_H_
#undef CONVTOOL_CONV_FINISH_PIXELS_INL_H_
#else
#define CONVTOOL_CONV_FINISH_PIXELS_INL_H_
#endif

#include <hwy/highway.h>

#include "conv/engine/finish_float-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Widens `seen` to the responses of `keys`. Returns whether all of them fit in a float.
template <class Wide>
HWY_INLINE bool WidenByKeys(Wide wide, const float* keys, const double* divisors, const float* biases,
                            const ValueRange& range, Extremes<Wide>& seen) {
  auto response = LoadDoubles(wide, keys);
  response = hn::Add(hn::Div(response, hn::LoadU(wide, divisors)), LoadDoubles(wide, biases));
  response = hn::Add(response, hn::Zero(wide));  // no -0
  const auto kept = hn::Min(hn::Max(response, hn::Set(wide, static_cast<double>(range.min))),
                            hn::Set(wide, static_cast<double>(range.max)));
  seen.min = hn::Min(seen.min, kept);
  seen.max = hn::Max(seen.max, kept);
  return hn::AllTrue(wide, hn::Le(hn::Abs(response), hn::Set(wide, std::numeric_limits<float>::max())));
}

/// Finishes channels [begin, end), a whole number of vectors, and merges their extremes into `stats`.
template <class D, class Wide>
HWY_INLINE bool PixelRange(D d, Wide wide, PixelJob job, std::int64_t begin, std::int64_t end, ResponseStats& stats) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d)), wide_lanes = static_cast<std::int64_t>(hn::Lanes(wide));
  Extremes<Wide> all(wide);
  for (std::int64_t k = begin; k < end; k += lanes) {
    float least[kMostLanes], most[kMostLanes], divisors[kMostLanes];
    bool divides = false;
    for (std::int64_t i = 0; i < lanes; ++i) {
      divisors[i] = static_cast<float>(job.divisors[k + i]);
      divides = divides || divisors[i] != 1;
    }
    const auto divisor = hn::LoadU(d, divisors), bias = hn::LoadU(d, job.biases + k);
    const auto low = hn::Set(d, job.range.min), high = hn::Set(d, job.range.max);
    auto some_nan = hn::MaskFromVec(hn::Zero(d));
    Extremes<D> seen(d);
    for (std::int64_t i = 0; i < job.pixels; ++i) {
      const auto key = hn::LoadU(d, job.sums + i * job.pitch + k);
      some_nan = hn::Or(some_nan, IsNan(key));
      seen.min = hn::Min(seen.min, key);
      seen.max = hn::Max(seen.max, key);
      const auto value = hn::Min(hn::Max(hn::Add(divides ? hn::Div(key, divisor) : key, bias), low), high);
      hn::StoreU(job.absolute ? hn::Abs(value) : value, d, job.out + i * job.out_pitch + k);
    }
    if (!hn::AllFalse(d, some_nan)) return false;
    hn::StoreU(seen.min, d, least);
    hn::StoreU(seen.max, d, most);
    for (std::int64_t i = 0; i < lanes; i += wide_lanes) {
      for (const float* keys : {least + i, most + i})
        if (!WidenByKeys(wide, keys, job.divisors + k + i, job.biases + k + i, job.range, all)) return false;
    }
  }
  stats.min = std::min(stats.min, all.Least(wide));
  stats.max = std::max(stats.max, all.Most(wide));
  return true;
}

bool FinishPixels(const PixelJob& job, ResponseStats& stats) {
  if (job.pixels == 0 || job.channels == 0) return true;
  if (job.sums == job.out) {
    const bool one_run = job.pitch == job.channels;
    return one_run ? LookAt(job.sums, 1, 0, job.pixels * job.channels, stats)
                   : LookAt(job.sums, job.pixels, job.pitch, job.channels, stats);
  }
  // Vectors of four lanes keep pixels of few channels from falling back to one lane.
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()));
  const auto few = static_cast<std::int64_t>(hn::Lanes(hn::CappedTag<float, 4>()));
  const std::int64_t whole = job.channels - job.channels % lanes, fours = job.channels - job.channels % few;
  ResponseStats seen;
  if (!PixelRange(hn::ScalableTag<float>(), hn::ScalableTag<double>(), job, 0, whole, seen) ||
      !PixelRange(hn::CappedTag<float, 4>(), hn::CappedTag<double, 4>(), job, whole, fours, seen) ||
      !PixelRange(hn::CappedTag<float, 1>(), hn::CappedTag<double, 1>(), job, fours, job.channels, seen))
    return false;
  stats.merge(seen);
  return true;
}

#if HWY_TARGET != HWY_SCALAR
/// Transposes four pixels of four channels into four rows.
HWY_INLINE void TransposeFour(const float* pixels, std::int64_t pitch, float* rows, std::int64_t row_pitch) {
  const hn::FixedTag<float, 4> d;
  const hn::FixedTag<double, 2> pairs;
  const auto a = hn::LoadU(d, pixels), b = hn::LoadU(d, pixels + pitch), c = hn::LoadU(d, pixels + 2 * pitch),
             e = hn::LoadU(d, pixels + 3 * pitch);
  const auto low_ab = hn::BitCast(pairs, hn::InterleaveLower(d, a, b)),
             high_ab = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b));
  const auto low_ce = hn::BitCast(pairs, hn::InterleaveLower(d, c, e)),
             high_ce = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low_ab, low_ce)), d, rows);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low_ab, low_ce)), d, rows + row_pitch);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high_ab, high_ce)), d, rows + 2 * row_pitch);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high_ab, high_ce)), d, rows + 3 * row_pitch);
}
#endif

void PixelsToRows(const float* pixels, std::int64_t pitch, std::int64_t count, std::int64_t channels, float* rows,
                  std::int64_t row_pitch) {
  std::int64_t whole_count = 0, whole_channels = 0;
#if HWY_TARGET != HWY_SCALAR
  whole_count = count - count % 4;
  whole_channels = channels - channels % 4;
  for (std::int64_t k = 0; k < whole_channels; k += 4)
    for (std::int64_t i = 0; i < whole_count; i += 4)
      TransposeFour(pixels + i * pitch + k, pitch, rows + k * row_pitch + i, row_pitch);
#endif
  for (std::int64_t k = 0; k < channels; ++k)
    for (std::int64_t i = k < whole_channels ? whole_count : 0; i < count; ++i)
      rows[k * row_pitch + i] = pixels[i * pitch + k];
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
