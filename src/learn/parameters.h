// The numbers that are learned: the weights and biases of one layer.
#pragma once

#include <vector>

#include "conv/kernel.h"

namespace convtool {

/// A number for each weight and bias of a layer: its value, or the derivative of a loss with respect to it.
struct Parameters {
  std::vector<double> weights;  ///< [c_o][c_i/groups][kh][kw]
  std::vector<double> bias;     ///< [c_o]

  /// Zeros.
  explicit Parameters(const KernelShape& shape)
      : weights(static_cast<std::size_t>(shape.count())), bias(static_cast<std::size_t>(shape.c_o)) {}

  /// The parameters rounded to float, for the engine.
  Kernel to_kernel(const KernelShape& shape) const {
    return {.shape = shape, .weights = {weights.begin(), weights.end()}, .bias = {bias.begin(), bias.end()}};
  }
};

}  // namespace convtool
