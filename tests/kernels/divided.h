#pragma once

#include "network/layer.h"

namespace convtool {

/// The layer with its weights divided by its divisor, and without a divisor.
inline Layer divided(Layer layer) {
  const auto taps = static_cast<std::size_t>(layer.shape.taps());
  for (std::size_t i = 0; i < layer.weights.size() && !layer.divisor.empty(); ++i) {
    const double divisor = layer.divisor[layer.divisor.size() == 1 ? 0 : i / taps];
    layer.weights[i] = static_cast<float>(static_cast<double>(layer.weights[i]) / divisor);
  }
  layer.divisor.clear();
  return layer;
}

}  // namespace convtool
