#include "network/layer.h"

#include <algorithm>
#include <cmath>

namespace convtool {

std::vector<std::int64_t> Layer::dimensions() const {
  if (rank == 2) return {shape.kh, shape.kw};
  if (rank == 3) return {shape.c_i_per_group, shape.kh, shape.kw};
  return {shape.c_o, shape.c_i_per_group, shape.kh, shape.kw};
}

void check_bank(const Bank& bank) {
  const Layer& first = bank.layers.front();
  const bool combined = bank.combine != Combine::none;
  for (const Layer& layer : bank.layers) {
    if (layer.pooling != Pooling::none && (combined || bank.layers.size() > 1)) {
      refuse_kernel(bank.name, "'" + layer.name +
                                   "' is a pool, which cannot be in a bank; make it a separate entry in \"layers\"");
    }
    const char* differs = layer.params.stride != first.params.stride               ? "stride"
                          : !combined                                              ? nullptr
                          : layer.rank != first.rank || layer.shape != first.shape ? "size"
                          : layer.params != first.params                           ? "dilation, padding or groups"
                          : layer.activation != first.activation                   ? "activation"
                                                                                   : nullptr;
    if (differs != nullptr) {
      refuse_kernel(bank.name, std::string("kernels to be ") + (combined ? "combined" : "stacked") +
                                   " must be alike, but '" + first.name + "' and '" + layer.name + "' differ in " +
                                   differs + "; make it the same" + (combined ? ", or use \"combine\": \"none\"" : ""));
    }
  }
}

double sum_of_weights(const float* weights, std::int64_t count) {
  double sum = 0, magnitude = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double weight = weights[i];
    sum += weight;
    magnitude += std::fabs(weight);
  }
  return std::fabs(sum) > (0x1p-24 + static_cast<double>(count) * 0x1p-53) * magnitude ? sum : 0;
}

bool sums_to_zero(const Layer& layer) {
  if (layer.is_max_pool()) return false;
  const std::int64_t taps = layer.shape.taps();
  for (std::int64_t o = 0; o < layer.shape.c_o; ++o)
    if (sum_of_weights(layer.weights.data() + o * taps, taps) != 0) return false;
  return true;
}

OutputMap resolve_map(OutputMap asked, const Bank& bank, DType output_dtype) {
  if (asked != OutputMap::automatic) return asked;
  const bool differences =
      bank.combine == Combine::none && std::all_of(bank.layers.begin(), bank.layers.end(), sums_to_zero);
  return differences && is_integer(output_dtype) ? OutputMap::abs : OutputMap::clip;
}

}  // namespace convtool
