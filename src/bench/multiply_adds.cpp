#include "bench/multiply_adds.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/multiply_adds.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Ten chains hide a latency of 5 cycles at two multiply-adds per cycle; with two operands they fit 16 registers.
std::int64_t RunMultiplyAdds(std::int64_t steps) {
  const hn::ScalableTag<float> d;
  // Numbers that the compiler cannot know, and that stay near 1 for any number of steps. Each chain begins with another
  // number: a compiler computes equal chains only once.
  volatile float factor = 0.5F, term = 0.5F;
  const auto x = hn::Set(d, factor), y = hn::Set(d, term);
  const auto begin = [&](float offset) HWY_ATTR { return hn::Set(d, term + offset); };
  auto s0 = begin(0), s1 = begin(1), s2 = begin(2), s3 = begin(3), s4 = begin(4), s5 = begin(5), s6 = begin(6),
       s7 = begin(7), s8 = begin(8), s9 = begin(9);
  for (std::int64_t i = 0; i < steps; ++i) {
    s0 = hn::MulAdd(s0, x, y);
    s1 = hn::MulAdd(s1, x, y);
    s2 = hn::MulAdd(s2, x, y);
    s3 = hn::MulAdd(s3, x, y);
    s4 = hn::MulAdd(s4, x, y);
    s5 = hn::MulAdd(s5, x, y);
    s6 = hn::MulAdd(s6, x, y);
    s7 = hn::MulAdd(s7, x, y);
    s8 = hn::MulAdd(s8, x, y);
    s9 = hn::MulAdd(s9, x, y);
  }
  const auto sum = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)),
                           hn::Add(hn::Add(s4, s5), hn::Add(hn::Add(s6, s7), hn::Add(s8, s9))));
  volatile float seen = hn::GetLane(sum);
  static_cast<void>(seen);
  return steps * 10 * static_cast<std::int64_t>(hn::Lanes(d));
}

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(RunMultiplyAdds);

std::int64_t run_multiply_adds(std::int64_t steps) { return HWY_DYNAMIC_DISPATCH(RunMultiplyAdds)(steps); }

}  // namespace convtool
#endif
