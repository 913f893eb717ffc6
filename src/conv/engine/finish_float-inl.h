// The epilogue in float, where it gives the same values as in double (finish.h). Included once per instruction set
// through hwy/foreach_target.h.

#if defined(CONVTOOL_CONV_FINISH_FLOAT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_FINISH_FLOAT_INL_H_
#undef CONVTOOL_CONV_FINISH_FLOAT_INL_H_
#else
#define CONVTOOL_CONV_FINISH_FLOAT_INL_H_
#endif

#include <hwy/highway.h>

#include "conv/engine/finish_double-inl.h"
#include "conv/engine/seen_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// A job of finish_in_float(), reduced to the numbers that its loops need.
template <class Sum, class Out>
struct FloatJob {
  const Sum* sums;
  Out* out;
  std::int64_t pitch, rows, count;
  bool squares;  ///< the key is the sum of squares of `rows` sums, else the sum itself
  bool absolute;
  float divisor, reciprocal, bias;
  ValueRange range;
  bool multiply;  ///< multiply by the reciprocal, which is exact or corrected by Quotient()

  FloatJob(const FinishJob& job)
      : sums(static_cast<const Sum*>(job.sums)),
        out(static_cast<Out*>(job.out)),
        pitch(job.pitch),
        rows(job.epilogue.combine_count),
        count(job.count),
        squares(job.epilogue.combine == Combine::magnitude),
        absolute(job.map.absolute),
        divisor(static_cast<float>(job.divisors[0])),
        reciprocal(1 / divisor),
        bias(job.biases[0]),
        range(ValueRange::of(job.epilogue)),
        multiply(HWY_NATIVE_FMA != 0 && !std::is_same_v<Out, float> && std::isnormal(reciprocal)) {}

  /// The response of a key in double, before the map.
  double response(double key) const {
    if (squares) return std::sqrt(key);
    return range.clamp(key / static_cast<double>(divisor) + static_cast<double>(bias) + 0.0);  // no -0
  }
  double value(double key) const { return absolute ? std::fabs(response(key)) : response(key); }
};

template <class D, class Sum>
HWY_INLINE hn::Vec<D> LoadFloats(D d, const Sum* sums) {
  if constexpr (std::is_same_v<Sum, float>) {
    return hn::LoadU(d, sums);
  } else {
    return hn::ConvertTo(d, hn::LoadU(hn::Rebind<Sum, D>(), sums));
  }
}

/// The keys, of which responses are a monotonic function: the sums, or the sums of squares.
template <class D, class Sum, class Out>
HWY_INLINE hn::Vec<D> Keys(D d, const FloatJob<Sum, Out>& job, std::int64_t x) {
  const auto first = LoadFloats(d, job.sums + x);
  if (!job.squares) return first;
  auto key = hn::Mul(first, first);
  for (std::int64_t k = 1; k < job.rows; ++k) {
    const auto next = LoadFloats(d, job.sums + k * job.pitch + x);
    key = hn::MulAdd(next, next, key);
  }
  return key;
}

/// key / divisor: exact where the quotient is a float, and within a unit in the last place elsewhere, which is enough
/// for an integer output (sink.cpp, is_plain). Uses Markstein's correction of a product with the reciprocal (Muller et
/// al., Handbook of Floating-Point Arithmetic, 2nd ed., section 4.7): a fused multiply-add computes n - q d exactly,
/// and a division takes several times as long.
template <class D, class Sum, class Out>
HWY_INLINE hn::Vec<D> Quotient(D d, const FloatJob<Sum, Out>& job, hn::Vec<D> key) {
  if (job.divisor == 1) return key;
  const auto divisor = hn::Set(d, job.divisor);
  if (!job.multiply) return hn::Div(key, divisor);
  const auto reciprocal = hn::Set(d, job.reciprocal);
  const auto quotient = hn::Mul(key, reciprocal);
  return hn::MulAdd(hn::NegMulAdd(quotient, divisor, key), reciprocal, quotient);
}

template <class D, class Sum, class Out>
HWY_INLINE hn::Vec<D> Values(D d, const FloatJob<Sum, Out>& job, hn::Vec<D> key) {
  if (job.squares) return hn::Sqrt(key);
  auto value = hn::Add(Quotient(d, job, key), hn::Set(d, job.bias));
  if constexpr (std::is_same_v<Out, float>)
    value = hn::Min(hn::Max(value, hn::Set(d, job.range.min)), hn::Set(d, job.range.max));
  return job.absolute ? hn::Abs(value) : value;
}

template <class D, class Out>
HWY_INLINE void StoreFloats(D d, hn::Vec<D> values, Out* out) {
  if constexpr (std::is_same_v<Out, float>) {
    hn::StoreU(values, d, out);
  } else {
    // The addition rounds to nearest, ties to even: next to 2^23 a float has no fraction bits left, and its lowest bits
    // are the whole number.
    const auto clamped =
        hn::Min(hn::Max(values, hn::Zero(d)), hn::Set(d, static_cast<float>(full_range(dtype_of<Out>()))));
    const hn::RebindToUnsigned<D> bits;
    const hn::Rebind<Out, D> narrow;
    hn::StoreU(hn::TruncateTo(narrow, hn::BitCast(bits, hn::Add(clamped, hn::Set(d, 0x1p23F)))), narrow, out);
  }
}

/// Counts of clipped values, by lane. Floats count exactly, as a span is shorter than 2^24.
template <class D>
struct Clipped {
  explicit HWY_INLINE Clipped(D d) : low(hn::Zero(d)), high(low) {}
  hn::Vec<D> low, high;
};

template <class D, class Sum, class Out>
HWY_INLINE void CountClipped(D d, const FloatJob<Sum, Out>&, hn::Vec<D> key, hn::Vec<D> values, Clipped<D>& clipped) {
  constexpr bool kFloat = std::is_same_v<Out, float>;
  const float most = kFloat ? std::numeric_limits<float>::max() : static_cast<float>(full_range(dtype_of<Out>()));
  // For float outputs, values that were finite before and are not after; for integers, see StoreDoubles.
  auto low = hn::Lt(values, hn::Set(d, kFloat ? -most : -0.5F));
  auto high = kFloat ? hn::Gt(values, hn::Set(d, most)) : hn::Ge(values, hn::Set(d, most + 0.5F));
  if constexpr (kFloat) {
    const auto was_finite = hn::Le(hn::Abs(key), hn::Set(d, most));
    low = hn::And(low, was_finite);
    high = hn::And(high, was_finite);
  }
  clipped.low = hn::Add(clipped.low, hn::IfThenElseZero(low, hn::Set(d, 1.0F)));
  clipped.high = hn::Add(clipped.high, hn::IfThenElseZero(high, hn::Set(d, 1.0F)));
}

template <class D>
HWY_INLINE void AddTo(D d, const Clipped<D>& clipped, ResponseStats& stats) {
  stats.clipped_low += static_cast<std::int64_t>(hn::GetLane(hn::SumOfLanes(d, clipped.low)));
  stats.clipped_high += static_cast<std::int64_t>(hn::GetLane(hn::SumOfLanes(d, clipped.high)));
}

// Loops take their job by value. If it were a reference, the compiler would have to assume that storing bytes may
// change the job.

/// Stores the values from `begin` to `end`, a whole number of vectors, and widens `seen` to their keys. Counts clipped
/// values if kCount. Returns whether one of them is NaN.
template <bool kCount, class D, class Sum, class Out>
HWY_INLINE bool StoreRange(D d, FloatJob<Sum, Out> job, std::int64_t begin, std::int64_t end, Extremes<D>& seen,
                           Clipped<D>& clipped) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto some_nan = hn::MaskFromVec(hn::Zero(d));
  for (std::int64_t x = begin; x < end; x += lanes) {
    const auto key = Keys(d, job, x);
    if constexpr (std::is_same_v<Sum, float>) some_nan = hn::Or(some_nan, IsNan(key));
    seen.min = hn::Min(seen.min, key);
    seen.max = hn::Max(seen.max, key);
    const auto values = Values(d, job, key);
    if constexpr (kCount) CountClipped(d, job, key, values, clipped);
    StoreFloats(d, values, job.out + x);
  }
  return !hn::AllFalse(d, some_nan);
}

template <class D, class Sum, class Out>
void CountRange(D d, FloatJob<Sum, Out> job, std::int64_t begin, std::int64_t end, Clipped<D>& clipped) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t x = begin; x < end; x += lanes) {
    const auto key = Keys(d, job, x);
    CountClipped(d, job, key, Values(d, job, key), clipped);
  }
}

/// Whether any value may be clipped, given the extremes of all keys.
template <class Sum, class Out>
bool MayClip(const FloatJob<Sum, Out>& job, double least, double most) {
  if constexpr (std::is_same_v<Out, float>) {
    const auto stored = [&](double key) { return static_cast<float>(job.value(key)); };
    return !std::isfinite(stored(least)) || !std::isfinite(stored(most));
  } else {
    constexpr double kMost = full_range(dtype_of<Out>());
    // This leaves a unit in the last place of float for the rounding in Values().
    const auto fits = [&](double value) { return value >= -0.5 && value < kMost + 0.49; };
    return !fits(job.value(least)) || !fits(job.value(most));
  }
}

/// Whether all keys between these give the same results in float as in double.
template <class Sum, class Out>
bool IsSafe(const FloatJob<Sum, Out>& job, double least, double most) {
  const auto is_finite = [&](double key) { return std::isfinite(static_cast<float>(key) * job.reciprocal); };
  if (job.multiply && !(is_finite(least) && is_finite(most))) return false;  // Quotient() turns infinity into NaN
  if (!job.squares && !std::is_same_v<Sum, std::int32_t>) return true;
  // Below 2^24 every whole number is a float. The root of a whole number is at least 1 / (8 k + 4) away from the tie at
  // k + 1/2. Half a unit in the last place of a float is less than that for roots up to 256, all that u8 stores, and up
  // to 2^10, the limit for u16.
  const double limit = job.squares && std::is_same_v<Out, std::uint16_t> ? 0x1p20 : 0x1p24;
  return most < limit && least > -limit;
}

/// Updates the statistics with `runs` runs of `length` sums, `pitch` apart, that are already in the output.
bool LookAt(const float* sums, std::int64_t runs, std::int64_t pitch, std::int64_t length, ResponseStats& stats) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  SeenSums seen, rest;
  SumsLook look(d, seen);
  SumsLook look_at_rest(one, rest);
  for (std::int64_t run = 0; run < runs; ++run, sums += pitch) {
    std::int64_t x = 0;
    for (; x + lanes <= length; x += lanes) look.See(hn::LoadU(d, sums + x));
    for (; x < length; ++x) look_at_rest.See(hn::LoadU(one, sums + x));
  }
  look.Save(seen);
  look_at_rest.Save(rest);
  if (!seen.is_finite() || !rest.is_finite()) return false;
  seen.merge_into(stats);
  rest.merge_into(stats);
  return true;
}

template <class Sum, class Out>
bool FinishFloats(const FloatJob<Sum, Out>& job, ResponseStats& stats) {
  using Vectors = hn::ScalableTag<float>;
  using Singles = hn::CappedTag<float, 1>;
  const Vectors d;
  const Singles one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t whole = job.count - job.count % lanes;
  Extremes<Vectors> seen(d);
  Extremes<Singles> rest(one);
  Clipped<Vectors> clipped(d);
  Clipped<Singles> rest_clipped(one);
  // If values were clipped before, more will probably follow, so they are counted in the first sweep. Otherwise they
  // are counted only if the extremes require it.
  const bool counts = stats.clipped_low + stats.clipped_high > 0;
  bool some_nan =
      counts ? StoreRange<true>(d, job, 0, whole, seen, clipped) : StoreRange<false>(d, job, 0, whole, seen, clipped);
  if (counts || whole == 0) {
    some_nan |= StoreRange<true>(one, job, whole, job.count, rest, rest_clipped);
  } else if (whole < job.count) {
    some_nan |= StoreRange<false>(d, job, job.count - lanes, job.count, seen, clipped);  // overlaps the previous vector
  }
  if (some_nan) return false;

  const double least = std::min(seen.Least(d), hn::GetLane(rest.min));
  const double most = std::max(seen.Most(d), hn::GetLane(rest.max));
  if (!IsSafe(job, least, most)) return false;

  if (!counts && whole > 0 && MayClip(job, least, most)) {
    CountRange(d, job, 0, whole, clipped);
    CountRange(one, job, whole, job.count, rest_clipped);
  }
  AddTo(d, clipped, stats);
  AddTo(one, rest_clipped, stats);
  const double a = job.response(least), b = job.response(most);  // the divisor may be negative
  stats.min = std::min({stats.min, a, b});
  stats.max = std::max({stats.max, a, b});
  return true;
}

bool FinishInFloat(const FinishJob& job, ResponseStats& stats) {
  if (job.count == 0) return true;
  if (job.sums == job.out) return LookAt(static_cast<const float*>(job.sums), 1, 0, job.count, stats);
  return visit_dtype(job.dtype, [&]<class Out>(Out) HWY_ATTR {
    if (job.sum_type == SumType::i32) return FinishFloats(FloatJob<std::int32_t, Out>(job), stats);
    return FinishFloats(FloatJob<float, Out>(job), stats);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
