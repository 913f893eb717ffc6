#include "conv/gradients/row_products.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/gradients/row_products.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/gradients/row_products-inl.h"

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(AddRowProductsInFloat);
HWY_EXPORT(AddRowProductsInDouble);

template <>
void add_row_products<float>(const RowLists& left, const RowLists& right, std::int64_t height, std::int64_t width,
                             double* sums, std::int64_t pitch) {
  HWY_DYNAMIC_DISPATCH(AddRowProductsInFloat)(left, right, height, width, sums, pitch);
}

template <>
void add_row_products<double>(const RowLists& left, const RowLists& right, std::int64_t height, std::int64_t width,
                              double* sums, std::int64_t pitch) {
  HWY_DYNAMIC_DISPATCH(AddRowProductsInDouble)(left, right, height, width, sums, pitch);
}

}  // namespace convtool
#endif
