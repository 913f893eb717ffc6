#include "conv/gradients/pixel_products.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/gradients/pixel_products.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/gradients/pixel_products-inl.h"

#if HWY_ONCE
namespace convtool {

HWY_EXPORT(AddPixelProducts);
HWY_EXPORT(MostPixelOutputs);

std::int64_t most_pixel_outputs() { return HWY_DYNAMIC_DISPATCH(MostPixelOutputs)(); }

void add_pixel_products(const RowLists& taps, const PixelRows& pixels, std::int64_t height, std::int64_t width,
                        double* sums, std::int64_t pitch) {
  HWY_DYNAMIC_DISPATCH(AddPixelProducts)(taps, pixels, height, width, sums, pitch);
}

}  // namespace convtool
#endif
