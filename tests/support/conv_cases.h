// Fills the pixels, weights and biases of a convolution whose shapes are chosen.
#pragma once

#include "support/conv_tester.h"
#include "support/random.h"
#include "support/values.h"

namespace convtool {

enum class Numbers {
  exact,  ///< floats are small integers over 8, weights for integer input are small integers: no sum ever rounds
  rough,  ///< floats use all 24 bits of their significand
};

inline PaddingMode random_mode(Random& random) { return random.chance(2) ? PaddingMode::zeros : random.pick(kModes); }

/// The arguments of make_case(). They may contain random numbers: the elements of a braced list are evaluated in order,
/// whereas compilers choose the order of arguments, so that a seed would mean another case on another machine.
struct CaseKind {
  DType dtype;
  Shape input;
  KernelShape kernel;
  ConvParams params;
  Numbers numbers;
};

/// A case of this kind with random pixels, weights and biases. Throws what make_problem() throws. With integer input
/// the caller must choose an integer padding value for the case to be exact.
inline ConvCase make_case(const CaseKind& kind, Random& random) {
  ConvCase c{.problem = make_problem(kind.dtype, kind.input, kind.kernel, kind.params),
             .kernel = {kind.kernel, {}, {}},
             .input = {}};
  c.exact = kind.numbers == Numbers::exact;
  const auto number = [&]() -> double {
    if (!c.exact) return static_cast<double>(random.rough());
    return static_cast<double>(random.between(-16, 16)) / (is_integer(kind.dtype) ? 1 : 8);
  };
  const auto pixel = [&]() -> double {
    if (is_integer(kind.dtype)) return static_cast<double>(random.between(0, kind.dtype == DType::u8 ? 255 : 65535));
    return c.exact ? static_cast<double>(random.between(-64, 64)) / 8 : number();
  };
  c.kernel.weights = floats(kind.kernel.count(), number);
  c.kernel.bias = floats(kind.kernel.c_o, number);
  c.input = filled(kind.dtype, kind.input, pixel);
  return c;
}

}  // namespace convtool
