// SeenSums in the registers of one instruction set. Included once per instruction set through hwy/foreach_target.h.

#if defined(CONVTOOL_CONV_SEEN_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_SEEN_SUMS_INL_H_
#undef CONVTOOL_CONV_SEEN_SUMS_INL_H_
#else
#define CONVTOOL_CONV_SEEN_SUMS_INL_H_
#endif

#include <hwy/highway.h>

#include "conv/engine/seen_sums.h"

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Updates the statistics while sums are in registers. It costs an addition and two comparisons, on units that
/// multiply-adds leave free.
template <class D>
class SumsLook {
 public:
  HWY_INLINE SumsLook(D d, const SeenSums& seen)
      : min_(hn::Load(d, seen.min)), max_(hn::Load(d, seen.max)), total_(hn::Load(d, seen.total)) {}

  HWY_INLINE void See(hn::Vec<D> sums) {
    min_ = hn::Min(min_, sums);
    max_ = hn::Max(max_, sums);
    total_ = hn::Add(total_, sums);
  }

  HWY_INLINE void Save(SeenSums& seen) const {
    const D d;
    hn::Store(min_, d, seen.min);
    hn::Store(max_, d, seen.max);
    hn::Store(total_, d, seen.total);
  }

 private:
  hn::Vec<D> min_, max_, total_;
};

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#endif
