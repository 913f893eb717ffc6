#include <doctest/doctest.h>

#include <limits>

#include "core/largest.h"

namespace convtool {
namespace {

TEST_CASE("the largest magnitude, of any type and layout, leaves out what is not finite") {
  constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  float floats[] = {1, -7, kInf, kNan, 2, -kInf};
  const auto tensor = [](auto* data, DType dtype, const Shape& shape, const Strides& strides) {
    return TensorRef{data, dtype, shape, strides};
  };
  for (const int threads : {1, 2}) {
    CHECK(largest_magnitude(tensor(floats, DType::f32, {1, 1, 2, 3}, {6, 6, 3, 1}), threads) == 7);
    CHECK(largest_magnitude(tensor(floats, DType::f32, {1, 3, 2, 1}, {6, 1, 3, 1}), threads) == 7);
    CHECK(largest_magnitude(tensor(floats + 2, DType::f32, {1, 1, 1, 2}, {2, 2, 2, 1}), threads) == 0);
    std::uint8_t bytes[] = {3, 200, 9};
    CHECK(largest_magnitude(tensor(bytes, DType::u8, {1, 1, 1, 2}, {2, 2, 2, 2}), threads) == 9);
    std::uint16_t shorts[] = {65535, 0};
    CHECK(largest_magnitude(tensor(shorts, DType::u16, {2, 1, 1, 1}, {1, 1, 1, 1}), threads) == 65535);
  }
}

}  // namespace
}  // namespace convtool
