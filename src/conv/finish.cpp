#include "conv/finish.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/finish.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/finish-inl.h"

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(FinishInDouble);
HWY_EXPORT(FinishInFloat);

void finish_in_double(const FinishJob& job, ResponseStats& stats) { HWY_DYNAMIC_DISPATCH(FinishInDouble)(job, stats); }

bool finish_in_float(const FinishJob& job, ResponseStats& stats) {
  return HWY_DYNAMIC_DISPATCH(FinishInFloat)(job, stats);
}

}  // namespace convtool
#endif
