// The epilogue by its definition, in double (finish.h). Included once per instruction set through hwy/foreach_target.h.
//
// The end of a span that does not fill a vector is computed by the same code on vectors of one lane. All operations
// follow IEEE 754 and work on each lane alone, so this does not change the values.

#if defined(CONVTOOL_CONV_FINISH_DOUBLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_FINISH_DOUBLE_INL_H_
#undef CONVTOOL_CONV_FINISH_DOUBLE_INL_H_
#else
#define CONVTOOL_CONV_FINISH_DOUBLE_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "conv/engine/finish_job.h"
#include "conv/engine/seen_sums.h"

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

/// Does not use Ne(v, v), which is false for NaN in Highway 1.0.3 on AVX2 and AVX-512.
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

template <class D, class Sum>
HWY_INLINE hn::Vec<D> LoadDoubles(D d, const Sum* sums) {
  if constexpr (std::is_same_v<Sum, double>) {
    return hn::LoadU(d, sums);
  } else {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<Sum, D>(), sums));
  }
}

/// Below -700, where the result is far less than any float and exp overflows, it is 0.
template <class D>
HWY_INLINE hn::Vec<D> Sigmoid(D d, hn::Vec<D> value) {
  const auto least = hn::Set(d, -700.0), one = hn::Set(d, 1.0);
  const auto is_large = hn::Ge(value, least);
  const auto power = hn::Exp(d, hn::Neg(hn::IfThenElse(is_large, value, least)));
  return hn::IfThenElseZero(is_large, hn::Div(one, hn::Add(one, power)));
}

/// The activations with a curve. Not inlined: their code is long, and a call is short beside its work.
template <class D>
HWY_NOINLINE hn::Vec<D> Curved(D d, Activation activation, hn::VecArg<hn::Vec<D>> given) {
  const auto is_nan = IsNan(given);
  const auto value = hn::IfThenElse(is_nan, hn::Zero(d), given);  // Exp and Tanh convert to integers, which NaN has not
  auto result = value;
  if (activation == Activation::sigmoid) result = Sigmoid(d, value);
  if (activation == Activation::tanh) result = hn::Tanh(d, value);
  if (activation == Activation::silu) result = hn::Mul(value, Sigmoid(d, value));
  if (activation == Activation::hardswish) {
    const auto three = hn::Set(d, 3.0), six = hn::Set(d, 6.0);
    const auto gate = hn::Min(hn::Max(hn::Add(value, three), hn::Zero(d)), six);
    result = hn::Div(hn::Mul(value, gate), six);
  }
  return hn::IfThenElse(is_nan, given, result);
}

/// activated() of conv/activation.h. NaN compares false and passes, as in PyTorch.
template <class D>
HWY_INLINE hn::Vec<D> Activated(D d, Activation activation, const ActivationNumbers& numbers, hn::Vec<D> value) {
  const auto number = [&](float n) HWY_ATTR { return hn::Set(d, static_cast<double>(n)); };
  switch (activation) {
    case Activation::none: break;
    case Activation::relu: return hn::IfThenElse(hn::Lt(value, hn::Zero(d)), hn::Zero(d), value);
    case Activation::abs: return hn::Abs(value);
    case Activation::leaky_relu:
      return hn::IfThenElse(hn::Lt(value, hn::Zero(d)), hn::Mul(value, number(numbers.slope)), value);
    case Activation::clip: {
      const auto raised = hn::IfThenElse(hn::Lt(value, number(numbers.min)), number(numbers.min), value);
      return hn::IfThenElse(hn::Gt(raised, number(numbers.max)), number(numbers.max), raised);
    }
    case Activation::sigmoid:
    case Activation::tanh:
    case Activation::silu:
    case Activation::hardswish: return Curved(d, activation, value);
  }
  return value;
}

/// Combines `value` with the result of the rows before it. NaN is kept.
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

/// The responses whose sums start at `sums`.
template <class D, class Sum>
HWY_INLINE hn::Vec<D> Responses(D d, const FinishJob& job, const Sum* sums) {
  const Combine combine = job.epilogue.combine;
  const std::int64_t count = job.epilogue.combine_count;
  auto joined = hn::Zero(d);
  for (std::int64_t k = 0; k < count; ++k) {
    auto value = LoadDoubles(d, sums + k * job.pitch);
    if (job.divisors[k] != 1) value = hn::Div(value, hn::Set(d, job.divisors[k]));
    value = hn::Add(value, hn::Set(d, static_cast<double>(job.biases[k])));
    value = Activated(d, job.epilogue.activation, job.epilogue.numbers, value);
    const bool starts_itself = combine != Combine::magnitude && combine != Combine::l1;
    joined = k == 0 && starts_itself ? value : Folded<D>(combine, joined, value);
  }
  if (combine == Combine::magnitude) return hn::Sqrt(joined);
  if (combine == Combine::mean) return hn::Div(joined, hn::Set(d, static_cast<double>(count)));
  return joined;
}

template <class D>
HWY_INLINE hn::Vec<D> Mapped(D d, const ValueMap& map, hn::Vec<D> response) {
  const auto value = map.absolute ? hn::Abs(response) : response;
  const auto scale = hn::Set(d, map.scale);
  if (map.threshold) return hn::IfThenElseZero(hn::Gt(value, hn::Set(d, *map.threshold)), scale);
  return hn::Add(hn::Mul(hn::Sub(value, hn::Set(d, map.shift)), scale), hn::Set(d, map.offset));
}

/// The extremes of a span, by lane.
template <class D>
struct Extremes {
  explicit HWY_INLINE Extremes(D d)
      : min(hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity())), max(hn::Neg(min)) {}
  hn::Vec<D> min, max;

  // Highway's reductions may start from the largest finite number (EMU128 does).
  HWY_INLINE hn::TFromD<D> Least(D d) const {
    const bool none_is_less = hn::AllTrue(d, hn::Eq(min, hn::Inf(d)));
    return none_is_less ? std::numeric_limits<hn::TFromD<D>>::infinity() : hn::GetLane(hn::MinOfLanes(d, min));
  }
  HWY_INLINE hn::TFromD<D> Most(D d) const {
    const bool none_is_more = hn::AllTrue(d, hn::Eq(max, hn::Neg(hn::Inf(d))));
    return none_is_more ? -std::numeric_limits<hn::TFromD<D>>::infinity() : hn::GetLane(hn::MaxOfLanes(d, max));
  }
};

template <class D>
HWY_INLINE hn::Vec<hn::Rebind<float, D>> RoundedToFloats(D d, hn::Vec<D> values) {
  const hn::Rebind<float, D> narrow;
  if constexpr (HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128) return hn::DemoteTo(narrow, values);
  // On these targets DemoteTo turns infinity into the largest float.
  double doubles[kMostLanes];
  float floats[kMostLanes];
  hn::StoreU(values, d, doubles);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) floats[i] = static_cast<float>(doubles[i]);
  return hn::LoadU(narrow, floats);
}

/// Stores `values` rounded to nearest, ties to even, and counts those that do not fit.
template <class D, class Out>
HWY_INLINE void StoreDoubles(D d, hn::Vec<D> values, Out* out, ResponseStats& stats) {
  const hn::Rebind<Out, D> narrow;
  if constexpr (std::is_same_v<Out, float>) {
    const auto rounded = RoundedToFloats(d, values);
    const auto is_new = hn::And(hn::Eq(hn::Abs(hn::PromoteTo(d, rounded)), hn::Inf(d)),
                                hn::Lt(hn::Abs(values), hn::Inf(d)));  // finite before, not after
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
    const auto value = hn::Add(Responses(d, job, static_cast<const Sum*>(job.sums) + x), hn::Zero(d));  // no -0
    stats.nan_count += Count(d, IsNan(value));
    seen.min = hn::IfThenElse(hn::Lt(value, seen.min), value, seen.min);
    seen.max = hn::IfThenElse(hn::Gt(value, seen.max), value, seen.max);
    if (job.out == nullptr) continue;
    StoreDoubles(d, Mapped(d, job.map, value), static_cast<Out*>(job.out) + x, stats);
  }
  stats.min = std::min(stats.min, seen.Least(d));
  stats.max = std::max(stats.max, seen.Most(d));
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

template <class D, class Sum>
void AddUpRange(D d, const FinishJob& job, std::int64_t begin, std::int64_t end, ResponseStats& stats) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto total = hn::Zero(d);
  for (std::int64_t x = begin; x < end; x += lanes) {
    const auto value = Responses(d, job, static_cast<const Sum*>(job.sums) + x);
    const auto is_number = hn::Eq(value, value);
    total = hn::Add(total, hn::IfThenElseZero(is_number, value));
    stats.total_count += Count(d, is_number);
  }
  stats.total += hn::GetLane(hn::SumOfLanes(d, total));
}

void AddUp(const FinishJob& job, ResponseStats& stats) {
  using Vectors = hn::ScalableTag<double>;
  using Singles = hn::CappedTag<double, 1>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Vectors()));
  const std::int64_t whole = job.count - job.count % lanes;
  VisitSums(job.sum_type, [&]<class Sum>(Sum) HWY_ATTR {
    AddUpRange<Vectors, Sum>(Vectors(), job, 0, whole, stats);
    AddUpRange<Singles, Sum>(Singles(), job, whole, job.count, stats);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
