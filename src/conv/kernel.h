// The weights of one convolution.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/problem.h"

namespace convtool {

/// The user's weights, in nn.Conv2d's layout, with one divisor and one bias per output channel. The sums are divided,
/// not the weights: so integer weights stay integers, their sums stay exact, and the quotient is rounded once.
struct Kernel {
  KernelShape shape;
  std::vector<float> weights;     ///< [c_o][c_i/groups][kh][kw], shape.count() of them
  std::vector<float> bias;        ///< [c_o]
  std::vector<double> divisor{};  ///< [c_o], or empty: 1

  const float* taps(std::int64_t o, std::int64_t c) const {
    return weights.data() + (o * shape.c_i_per_group + c) * shape.kh * shape.kw;
  }
};

}  // namespace convtool
