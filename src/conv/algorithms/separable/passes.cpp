#include "conv/algorithms/separable/passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/separable/passes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/algorithms/separable/passes-inl.h"

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(FloatRowPass);
HWY_EXPORT(DoubleRowPass);
HWY_EXPORT(FloatColumnsOfBytes);
HWY_EXPORT(FloatColumnsOfShorts);
HWY_EXPORT(FloatColumnsOfFloats);
HWY_EXPORT(DoubleColumnsOfBytes);
HWY_EXPORT(DoubleColumnsOfShorts);
HWY_EXPORT(DoubleColumnsOfFloats);
HWY_EXPORT(DoubleColumnsOfDoubles);
HWY_EXPORT(BoxRowPass);
HWY_EXPORT(BoxColumnPass);

template <>
void row_pass(const float* source, const float* weights, std::int64_t taps, std::int64_t distance, bool add,
              float* sums, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(FloatRowPass)(source, weights, taps, distance, add, sums, width);
}
template <>
void row_pass(const double* source, const double* weights, std::int64_t taps, std::int64_t distance, bool add,
              double* sums, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleRowPass)(source, weights, taps, distance, add, sums, width);
}

template <>
void column_pass(const Columns<float, std::uint8_t>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(FloatColumnsOfBytes)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<float, std::uint16_t>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(FloatColumnsOfShorts)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<float, float>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(FloatColumnsOfFloats)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<double, std::uint8_t>& columns, double* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleColumnsOfBytes)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<double, std::uint16_t>& columns, double* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleColumnsOfShorts)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<double, float>& columns, double* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleColumnsOfFloats)(columns, sums, pitch, width);
}
template <>
void column_pass(const Columns<double, double>& columns, double* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(DoubleColumnsOfDoubles)(columns, sums, pitch, width);
}

void box_row_pass(const float* source, float weight, std::int64_t taps, std::int64_t distance, float* work, float* sums,
                  std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(BoxRowPass)(source, weight, taps, distance, work, sums, width);
}

void box_column_pass(const Columns<float, float>& columns, float* sums, std::int64_t pitch, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(BoxColumnPass)(columns, sums, pitch, width);
}

}  // namespace convtool
#endif
