// Alpha that accompanies a filtered picture: it is sampled at the centre of each receptive field and rescaled to the
// output's type.
#include <doctest/doctest.h>

#include <cmath>

#include "network/alpha.h"
#include "network/layers.h"

namespace convtool {
namespace {

std::vector<double> resampled(const Tensor& alpha, const ReceptiveField& field, DType dtype, std::int64_t h,
                              std::int64_t w) {
  Tensor output(dtype, {alpha.shape().n, 1, h, w});
  resample_alpha(alpha.ref(), field, output.ref());
  return values_of(output.ref());
}

ReceptiveField field_of(const Shape& input, const KernelShape& kernel, const Params& params) {
  ReceptiveField field;
  field.append({{make_problem(DType::u8, input, kernel, params)}});
  return field;
}

TEST_CASE("same size keeps all of alpha; without padding its middle remains") {
  const Shape shape{1, 1, 3, 4};
  const Tensor alpha = tensor_of(DType::u8, shape, {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23});
  CHECK(resampled(alpha, field_of(shape, {1, 1, 3, 3}, {.padding = kSame}), DType::u8, 3, 4) == values_of(alpha.ref()));
  CHECK(resampled(alpha, field_of(shape, {1, 1, 3, 3}, {}), DType::u8, 1, 2) == std::vector<double>{11, 12});
}

TEST_CASE("a stride skips pixels, and a centre in the padding takes the nearest pixel") {
  const Shape shape{2, 1, 1, 5};
  const Tensor alpha = tensor_of(DType::u8, shape, {0, 1, 2, 3, 4, 100, 101, 102, 103, 104});
  CHECK(resampled(alpha, field_of(shape, {1, 1, 1, 1}, {.stride = {1, 2}}), DType::u8, 1, 3) ==
        std::vector<double>{0, 2, 4, 100, 102, 104});
  CHECK(resampled(alpha, field_of(shape, {1, 1, 1, 1}, {.padding = pads(0, 2, 0, 1)}), DType::u8, 1, 8) ==
        std::vector<double>{0, 0, 0, 1, 2, 3, 4, 4, 100, 100, 100, 101, 102, 103, 104, 104});
}

TEST_CASE("alpha is rescaled between the full ranges of types; that of floats is 1") {
  const ReceptiveField identity;
  const Tensor u8 = tensor_of(DType::u8, {1, 1, 1, 3}, {0, 128, 255});
  CHECK(resampled(u8, identity, DType::u16, 1, 3) == std::vector<double>{0, 128 * 257, 65535});
  CHECK(resampled(u8, identity, DType::f32, 1, 3) == std::vector<double>{0, 128, 255});
  const Tensor u16 = tensor_of(DType::u16, {1, 1, 1, 4}, {0, 128, 129, 65535});  // 128 / 257 is slightly less than 0.5
  CHECK(resampled(u16, identity, DType::u8, 1, 4) == std::vector<double>{0, 0, 1, 255});
  const Tensor f32 = tensor_of(DType::f32, {1, 1, 1, 6}, {0, 0.5, 1, -1, 7, std::nan("")});
  // 127.5 rounds to even.
  CHECK(resampled(f32, identity, DType::u8, 1, 6) == std::vector<double>{0, 128, 255, 0, 255, 0});
  CHECK(resampled(f32, identity, DType::u16, 1, 6) == std::vector<double>{0, 32768, 65535, 0, 65535, 0});
}

}  // namespace
}  // namespace convtool
