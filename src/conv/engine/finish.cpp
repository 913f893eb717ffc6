#include "conv/engine/finish.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/engine/finish.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/engine/finish_double-inl.h"
#include "conv/engine/finish_float-inl.h"
#include "conv/engine/finish_pixels-inl.h"

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(FinishInDouble);
HWY_EXPORT(FinishInFloat);
HWY_EXPORT(AddUp);
HWY_EXPORT(FinishPixels);
HWY_EXPORT(PixelsToRows);

void finish_in_double(const FinishJob& job, ResponseStats& stats) { HWY_DYNAMIC_DISPATCH(FinishInDouble)(job, stats); }

void add_up(const FinishJob& job, ResponseStats& stats) { HWY_DYNAMIC_DISPATCH(AddUp)(job, stats); }

bool finish_in_float(const FinishJob& job, ResponseStats& stats) {
  return HWY_DYNAMIC_DISPATCH(FinishInFloat)(job, stats);
}

bool finish_pixels_in_float(const PixelJob& job, ResponseStats& stats) {
  return HWY_DYNAMIC_DISPATCH(FinishPixels)(job, stats);
}

void pixels_to_rows(const float* pixels, std::int64_t pitch, std::int64_t count, std::int64_t channels, float* rows,
                    std::int64_t row_pitch) {
  HWY_DYNAMIC_DISPATCH(PixelsToRows)(pixels, pitch, count, channels, rows, row_pitch);
}

}  // namespace convtool
#endif
