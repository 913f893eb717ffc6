#include "conv/passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/passes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/passes-inl.h"

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(FloatRowPass);
HWY_EXPORT(DoubleRowPass);
HWY_EXPORT(FloatColumnPass);
HWY_EXPORT(DoubleColumnPass);

template <>
void row_pass(const float* source, const float* weights, std::int64_t taps, std::int64_t distance, float* sums,
              std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(FloatRowPass)(source, weights, taps, distance, sums, width);
}
template <>
void row_pass(const double* source, const double* weights, std::int64_t taps, std::int64_t distance, double* sums,
              std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleRowPass)(source, weights, taps, distance, sums, width);
}

template <>
void column_pass(const Columns<float>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(FloatColumnPass)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<double>& columns, double* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleColumnPass)(columns, sums, pitch, width);
}

}  // namespace convtool
#endif
