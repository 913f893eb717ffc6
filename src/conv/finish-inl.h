// The row functions of finish.h for one instruction set. Included once for each by way of hwy/foreach_target.h.
//
// A stretch that is not a whole number of vectors is ended by the same text on vectors of one lane: every operation is
// IEEE's and works on lanes alone, so it makes no difference to the values.

#if defined(CONVTOOL_CONV_FINISH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_FINISH_INL_H_
#undef CONVTOOL_CONV_FINISH_INL_H_
#else
#define CONVTOOL_CONV_FINISH_INL_H_
#endif

#include <hwy/highway.h>

#include "conv/finish.h"
#include "conv/seen_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
using Mask = hn::Mask<D>;

template <class D>
HWY_INLINE std::int64_t Count(D d, Mask<D> mask) {
  return static_cast<std::int64_t>(hn::CountTrue(d, mask));
}

/// Not Ne(v, v): with Highway 1.0.3 on AVX2 and AVX-512 that is false for NaN.
template <class V>
HWY_INLINE auto IsNan(V v) {
  return hn::Not(hn::Eq(v, v));
}

/// Calls run(tag) for the type of the sums.
template <class Run>
HWY_INLINE auto VisitSums(SumType type, const Run& run) {
  if (type == SumType::f32) return run(float{});
  if (type == SumType::f64) return run(double{});
  return run(std::int32_t{});
}

// In double.

template <class D, class Sum>
HWY_INLINE hn::Vec<D> LoadDoubles(D d, const Sum* sums) {
  if constexpr (std::is_same_v<Sum, double>) {
    return hn::LoadU(d, sums);
  } else {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<Sum, D>(), sums));
  }
}

template <class D>
HWY_INLINE hn::Vec<D> Activated(D d, Activation activation, hn::Vec<D> value) {
  switch (activation) {
    case Activation::none: break;
    case Activation::relu:  // NaN compares false and passes, as in PyTorch
      return hn::IfThenElse(hn::Lt(value, hn::Zero(d)), hn::Zero(d), value);
    case Activation::abs: return hn::Abs(value);
  }
  return value;
}

/// Folds `value` into what the rows before it were joined to. NaN, once in, stays.
template <class D>
HWY_INLINE hn::Vec<D> Folded(Combine combine, hn::Vec<D> joined, hn::Vec<D> value) {
  const auto takes = [&](Mask<D> better)
                         HWY_ATTR { return hn::IfThenElse(hn::Or(better, IsNan(value)), value, joined); };
  switch (combine) {
    case Combine::magnitude: return hn::Add(joined, hn::Mul(value, value));
    case Combine::l1: return hn::Add(joined, hn::Abs(value));
    case Combine::max: return takes(hn::Gt(value, joined));
    case Combine::min: return takes(hn::Lt(value, joined));
    case Combine::none:
    case Combine::sum:
    case Combine::mean: break;
  }
  return hn::Add(joined, value);
}

/// The responses whose first sums are at `sums`.
template <class D, class Sum>
HWY_INLINE hn::Vec<D> Responses(D d, const FinishJob& job, const Sum* sums) {
  const Combine combine = job.epilogue.combine;
  const std::int64_t count = job.epilogue.combine_count;
  auto joined = hn::Zero(d);
  for (std::int64_t k = 0; k < count; ++k) {
    auto value = LoadDoubles(d, sums + k * job.pitch);
    if (job.divisors[k] != 1) value = hn::Div(value, hn::Set(d, job.divisors[k]));
    value = hn::Add(value, hn::Set(d, static_cast<double>(job.biases[k])));
    value = Activated(d, job.epilogue.activation, value);
    const bool starts_itself = combine != Combine::magnitude && combine != Combine::l1;
    joined = k == 0 && starts_itself ? value : Folded<D>(combine, joined, value);
  }
  if (combine == Combine::magnitude) return hn::Sqrt(joined);
  if (combine == Combine::mean) return hn::Div(joined, hn::Set(d, static_cast<double>(count)));
  return joined;
}

/// What a stretch has seen, in lanes.
template <class D>
struct Extremes {
  explicit HWY_INLINE Extremes(D d)
      : min(hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity())), max(hn::Neg(min)) {}
  hn::Vec<D> min, max;
};

template <class D>
HWY_INLINE hn::Vec<hn::Rebind<float, D>> RoundedToFloats(D d, hn::Vec<D> values) {
  const hn::Rebind<float, D> narrow;
  if constexpr (HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128) return hn::DemoteTo(narrow, values);
  // There DemoteTo makes the largest float of infinity.
  double doubles[kMostLanes];
  float floats[kMostLanes];
  hn::StoreU(values, d, doubles);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) floats[i] = static_cast<float>(doubles[i]);
  return hn::LoadU(narrow, floats);
}

/// Stores `values` rounded, to nearest and ties to even, and counts what does not fit.
template <class D, class Out>
HWY_INLINE void StoreDoubles(D d, hn::Vec<D> values, Out* out, ResponseStats& stats) {
  const hn::Rebind<Out, D> narrow;
  if constexpr (std::is_same_v<Out, float>) {
    const auto rounded = RoundedToFloats(d, values);
    const auto is_new = hn::And(hn::Eq(hn::Abs(hn::PromoteTo(d, rounded)), hn::Inf(d)),
                                hn::Lt(hn::Abs(values), hn::Inf(d)));  // finite, and is not any more
    stats.clipped_low += Count(d, hn::And(is_new, hn::Lt(values, hn::Zero(d))));
    stats.clipped_high += Count(d, hn::And(is_new, hn::Gt(values, hn::Zero(d))));
    hn::StoreU(rounded, narrow, out);
  } else {
    // A value of -0.5 rounds to 0 and one of most + 0.5 to most + 1: ties go to even.
    constexpr double kMost = full_range(dtype_of<Out>());
    stats.clipped_low += Count(d, hn::Lt(values, hn::Set(d, -0.5)));
    stats.clipped_high += Count(d, hn::Ge(values, hn::Set(d, kMost + 0.5)));
    const auto numbers = hn::IfThenElseZero(hn::Eq(values, values), values);
    const auto clamped = hn::Min(hn::Max(numbers, hn::Zero(d)), hn::Set(d, kMost));
    const hn::Rebind<std::int32_t, D> whole;
    hn::StoreU(hn::DemoteTo(narrow, hn::DemoteTo(whole, hn::Round(clamped))), narrow, out);
  }
}

template <class D, class Sum, class Out>
void DoubleRange(D d, const FinishJob& job, std::int64_t begin, std::int64_t end, ResponseStats& stats) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  Extremes<D> seen(d);
  for (std::int64_t x = begin; x < end; x += lanes) {
    auto value = hn::Add(Responses(d, job, static_cast<const Sum*>(job.sums) + x), hn::Zero(d));  // no -0
    stats.nan_count += Count(d, IsNan(value));
    seen.min = hn::IfThenElse(hn::Lt(value, seen.min), value, seen.min);
    seen.max = hn::IfThenElse(hn::Gt(value, seen.max), value, seen.max);
    if (job.out == nullptr) continue;
    if (job.map.absolute) value = hn::Abs(value);
    value = hn::Mul(hn::Sub(value, hn::Set(d, job.map.shift)), hn::Set(d, job.map.scale));
    StoreDoubles(d, hn::Add(value, hn::Set(d, job.map.offset)), static_cast<Out*>(job.out) + x, stats);
  }
  stats.min = std::min(stats.min, hn::GetLane(hn::MinOfLanes(d, seen.min)));
  stats.max = std::max(stats.max, hn::GetLane(hn::MaxOfLanes(d, seen.max)));
}

void FinishInDouble(const FinishJob& job, ResponseStats& stats) {
  using Vectors = hn::ScalableTag<double>;
  using Singles = hn::CappedTag<double, 1>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Vectors()));
  const std::int64_t whole = job.count - job.count % lanes;
  VisitSums(job.sum_type, [&]<class Sum>(Sum) HWY_ATTR {
    visit_dtype(job.dtype, [&]<class Out>(Out) HWY_ATTR {
      DoubleRange<Vectors, Sum, Out>(Vectors(), job, 0, whole, stats);
      DoubleRange<Singles, Sum, Out>(Singles(), job, whole, job.count, stats);
    });
  });
}

// In float.

/// A job of finish_in_float() in the numbers that its loops need.
template <class Sum, class Out>
struct FloatJob {
  const Sum* sums;
  Out* out;
  std::int64_t pitch, rows, count;
  bool squares;  ///< the key is the sum of squares of `rows` sums, else the sum itself
  bool absolute;
  float divisor, reciprocal, bias;
  bool multiply;  ///< the reciprocal is exact, or what it gives is made good (Quotient)

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
        multiply(HWY_NATIVE_FMA != 0 && !std::is_same_v<Out, float> && std::isnormal(reciprocal)) {}

  /// What a key comes to in double, before the map.
  double response(double key) const {
    if (squares) return std::sqrt(key);
    return key / static_cast<double>(divisor) + static_cast<double>(bias) + 0.0;  // no -0
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

/// What responses rise with: the sum, or the sum of squares.
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

/// key / divisor: rounded correctly where the quotient is a float, and within a unit in the last place elsewhere, which
/// is enough for an integer output (epilogue.cpp, is_plain). By Markstein's correction of a product with the
/// reciprocal (Muller et al., Handbook of Floating-Point Arithmetic, 2nd ed., section 4.7): n - q d is exact with one
/// rounding, and a division takes several times as long.
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
  const auto value = hn::Add(Quotient(d, job, key), hn::Set(d, job.bias));
  return job.absolute ? hn::Abs(value) : value;
}

template <class D, class Out>
HWY_INLINE void StoreFloats(D d, hn::Vec<D> values, Out* out) {
  if constexpr (std::is_same_v<Out, float>) {
    hn::StoreU(values, d, out);
  } else {
    // To nearest, ties to even, by the addition: beside 2^23 a float has no fraction bits left, and its lowest bits are
    // the whole number.
    const auto clamped =
        hn::Min(hn::Max(values, hn::Zero(d)), hn::Set(d, static_cast<float>(full_range(dtype_of<Out>()))));
    const hn::RebindToUnsigned<D> bits;
    const hn::Rebind<Out, D> narrow;
    hn::StoreU(hn::TruncateTo(narrow, hn::BitCast(bits, hn::Add(clamped, hn::Set(d, 0x1p23F)))), narrow, out);
  }
}

/// How many values were clipped, by lane; a stretch is shorter than 2^24.
template <class D>
struct Clipped {
  explicit HWY_INLINE Clipped(D d) : low(hn::Zero(d)), high(low) {}
  hn::Vec<D> low, high;
};

template <class D, class Sum, class Out>
HWY_INLINE void CountClipped(D d, const FloatJob<Sum, Out>&, hn::Vec<D> key, hn::Vec<D> values, Clipped<D>& clipped) {
  constexpr bool kFloat = std::is_same_v<Out, float>;
  const float most = kFloat ? std::numeric_limits<float>::max() : static_cast<float>(full_range(dtype_of<Out>()));
  // To float, what was finite and is not any more; to integers, see StoreDoubles.
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

// Loops take their job by value: a store of bytes might change what a reference refers to, for all the compiler knows.

/// Stores the values from `begin` to `end`, a whole number of vectors apart, widens `seen` to their keys and counts
/// what is clipped if so told. Returns whether one of them is NaN.
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

/// Whether a value may be counted as clipped, from the extremes of all keys.
template <class Sum, class Out>
bool MayClip(const FloatJob<Sum, Out>& job, double least, double most) {
  if constexpr (std::is_same_v<Out, float>) {
    const auto stored = [&](double key) { return static_cast<float>(job.value(key)); };
    return !std::isfinite(stored(least)) || !std::isfinite(stored(most));
  } else {
    constexpr double kMost = full_range(dtype_of<Out>());
    // A unit in the last place of float is left for what Values() rounds.
    const auto fits = [&](double value) { return value >= -0.5 && value < kMost + 0.49; };
    return !fits(job.value(least)) || !fits(job.value(most));
  }
}

/// Whether keys between these are as good in float as in double.
template <class Sum, class Out>
bool IsSafe(const FloatJob<Sum, Out>& job, double least, double most) {
  const auto is_finite = [&](double key) { return std::isfinite(static_cast<float>(key) * job.reciprocal); };
  if (job.multiply && !(is_finite(least) && is_finite(most))) return false;  // Quotient() makes NaN of infinities
  if (!job.squares && !std::is_same_v<Sum, std::int32_t>) return true;
  // Below 2^24 every whole number is a float. The root of a whole number is 1 / (8 k + 4) or more away from the tie at
  // k + 1/2, which half a unit in the last place of float must not reach: up to 256 it does not, and up to 2^10.
  const double limit = job.squares && std::is_same_v<Out, std::uint16_t> ? 0x1p20 : 0x1p24;
  return most < limit && least > -limit;
}

/// `runs` runs of `length` sums, `pitch` apart, that are the output already: what is left to do is to look at them.
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
  // Where values were clipped more will be, and are counted at once; else only where the extremes show that it is so.
  const bool counts = stats.clipped_low + stats.clipped_high > 0;
  bool some_nan =
      counts ? StoreRange<true>(d, job, 0, whole, seen, clipped) : StoreRange<false>(d, job, 0, whole, seen, clipped);
  if (counts || whole == 0) {
    some_nan |= StoreRange<true>(one, job, whole, job.count, rest, rest_clipped);
  } else if (whole < job.count) {
    some_nan |= StoreRange<false>(d, job, job.count - lanes, job.count, seen, clipped);  // some once more
  }
  if (some_nan) return false;

  const double least = std::min(hn::GetLane(hn::MinOfLanes(d, seen.min)), hn::GetLane(rest.min));
  const double most = std::max(hn::GetLane(hn::MaxOfLanes(d, seen.max)), hn::GetLane(rest.max));
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

// Pixels with many channels.

/// The responses whose keys are `keys`, widened into `seen`. Returns whether all of them are floats.
template <class Wide>
HWY_INLINE bool WidenByKeys(Wide wide, const float* keys, const double* divisors, const float* biases,
                            Extremes<Wide>& seen) {
  auto response = LoadDoubles(wide, keys);
  response = hn::Add(hn::Div(response, hn::LoadU(wide, divisors)), LoadDoubles(wide, biases));
  response = hn::Add(response, hn::Zero(wide));  // no -0
  seen.min = hn::Min(seen.min, response);
  seen.max = hn::Max(seen.max, response);
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
    auto some_nan = hn::MaskFromVec(hn::Zero(d));
    Extremes<D> seen(d);
    for (std::int64_t i = 0; i < job.pixels; ++i) {
      const auto key = hn::LoadU(d, job.sums + i * job.pitch + k);
      some_nan = hn::Or(some_nan, IsNan(key));
      seen.min = hn::Min(seen.min, key);
      seen.max = hn::Max(seen.max, key);
      const auto value = hn::Add(divides ? hn::Div(key, divisor) : key, bias);
      hn::StoreU(job.absolute ? hn::Abs(value) : value, d, job.out + i * job.out_pitch + k);
    }
    if (!hn::AllFalse(d, some_nan)) return false;
    hn::StoreU(seen.min, d, least);
    hn::StoreU(seen.max, d, most);
    for (std::int64_t i = 0; i < lanes; i += wide_lanes) {
      for (const float* keys : {least + i, most + i})
        if (!WidenByKeys(wide, keys, job.divisors + k + i, job.biases + k + i, all)) return false;
    }
  }
  stats.min = std::min(stats.min, hn::GetLane(hn::MinOfLanes(wide, all.min)));
  stats.max = std::max(stats.max, hn::GetLane(hn::MaxOfLanes(wide, all.max)));
  return true;
}

bool FinishPixels(const PixelJob& job, ResponseStats& stats) {
  if (job.pixels == 0 || job.channels == 0) return true;
  if (job.sums == job.out) {
    const bool one_run = job.pitch == job.channels;
    return one_run ? LookAt(job.sums, 1, 0, job.pixels * job.channels, stats)
                   : LookAt(job.sums, job.pixels, job.pitch, job.channels, stats);
  }
  // Pixels of few channels are not left to vectors of one lane alone.
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
/// Four pixels of four channels become four rows.
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
