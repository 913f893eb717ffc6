#include "network/layer.h"

#include <algorithm>
#include <cmath>

#include "core/float_range.h"

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

std::vector<double> sums_of_weights(const Layer& layer) {
  const std::int64_t taps = layer.shape.taps();
  std::vector<double> sums;
  for (std::int64_t o = 0; o < layer.shape.c_o; ++o)
    sums.push_back(sum_of_weights(layer.weights.data() + o * taps, taps));
  return sums;
}

bool fits_float_divided(const Layer& layer) {
  const float largest = *std::max_element(layer.weights.begin(), layer.weights.end(),
                                          [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  return std::all_of(layer.divisor.begin(), layer.divisor.end(),
                     [largest](double by) { return fits_float(static_cast<double>(largest) / by); });
}

bool sums_to_zero(const Layer& layer) {
  if (layer.is_max_pool()) return false;
  const std::vector<double> sums = sums_of_weights(layer);
  return std::all_of(sums.begin(), sums.end(), [](double sum) { return sum == 0; });
}

double visible_gain(const Bank& bank) {
  constexpr double kVisible = 0.5, kBright = 4,
                   kRounding = 0x1p-20;  // of weights such as 1/6, which floats do not hold
  double most = 0;
  for (const Layer& layer : bank.layers) {
    if (std::any_of(layer.bias.begin(), layer.bias.end(), [](float bias) { return bias != 0; })) return 1;
    const std::int64_t taps = layer.shape.taps();
    for (std::int64_t o = 0; o < layer.shape.c_o; ++o) {
      double positive = 0, negative = 0;
      for (std::int64_t i = o * taps; i < (o + 1) * taps; ++i) {
        const double weight = layer.weights[static_cast<std::size_t>(i)];
        (weight > 0 ? positive : negative) += std::fabs(weight);
      }
      const double divisor =
          layer.divisor.empty() ? 1 : layer.divisor[layer.divisor.size() == 1 ? 0 : static_cast<std::size_t>(o)];
      most = std::max(most, std::max(positive, negative) / std::fabs(divisor));
    }
  }
  if (most == 0 || most >= kVisible * (1 - kRounding)) return 1;
  double gain = 1;
  while (gain * most < kBright) gain *= 2;
  return gain;
}

Mapping resolve_map(OutputMap asked, const Network& network, DType output_dtype) {
  if (asked != OutputMap::automatic) return asked;
  const Bank& last = network.banks.back();
  const bool differences =
      last.combine == Combine::none && std::all_of(last.layers.begin(), last.layers.end(), sums_to_zero);
  if (!differences || !is_integer(output_dtype)) return OutputMap::clip;
  Mapping mapping = OutputMap::abs;
  if (network.banks.size() == 1) mapping.gain = visible_gain(last);
  return mapping;
}

}  // namespace convtool
