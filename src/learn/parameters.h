// What is learned: the numbers of one layer, or what goes with each of them.
#pragma once

#include <vector>

#include "conv/kernel.h"

namespace convtool {

/// A number for each weight and each bias of a layer: their values, or a loss's derivatives with respect to them.
struct Parameters {
  std::vector<double> weights;  ///< [c_o][c_i/groups][kh][kw]
  std::vector<double> bias;     ///< [c_o]

  /// Zeros.
  explicit Parameters(const KernelShape& shape)
      : weights(static_cast<std::size_t>(shape.count())), bias(static_cast<std::size_t>(shape.c_o)) {}

  /// As the engine takes them, rounded to float.
  Kernel to_kernel(const KernelShape& shape) const {
    return {.shape = shape, .weights = {weights.begin(), weights.end()}, .bias = {bias.begin(), bias.end()}};
  }
};

}  // namespace convtool
