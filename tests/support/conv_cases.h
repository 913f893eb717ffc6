// Fills the pixels, weights and biases of a convolution whose shapes are chosen.
#pragma once

#include "support/conv_tester.h"
#include "support/random.h"

namespace convtool {

enum class Numbers {
  exact,  ///< floats are small integers over 8, weights for integer input are small integers: no sum ever rounds
  rough,  ///< floats use all 24 bits of their significand
};

/// A case of this geometry with random pixels, weights and biases. Throws what make_problem() throws. With integer
/// input the caller must choose an integer padding value for the case to be exact.
inline ConvCase make_case(DType dtype, const Shape& input, const KernelShape& kernel, const ConvParams& params,
                          Numbers numbers, Random& random) {
  ConvCase c{.problem = make_problem(dtype, input, kernel, params), .kernel = {kernel, {}, {}}, .input = {}};
  c.exact = numbers == Numbers::exact;
  const auto number = [&]() -> double {
    if (numbers == Numbers::rough) return static_cast<double>(random.rough());
    return static_cast<double>(random.between(-16, 16)) / (is_integer(dtype) ? 1 : 8);
  };
  const auto pixel = [&]() -> double {
    if (is_integer(dtype)) return static_cast<double>(random.between(0, dtype == DType::u8 ? 255 : 65535));
    return numbers == Numbers::exact ? static_cast<double>(random.between(-64, 64)) / 8 : number();
  };
  c.kernel.weights = floats(kernel.count(), number);
  c.kernel.bias = floats(kernel.c_o, number);
  c.input = filled(dtype, input, pixel);
  return c;
}

}  // namespace convtool
