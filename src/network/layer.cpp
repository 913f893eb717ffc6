#include "network/layer.h"

#include <algorithm>
#include <cmath>

#include "core/float_range.h"
#include "core/printable.h"
#include "core/text.h"
#include "network/per_channel.h"

namespace convtool {

std::vector<std::int64_t> Layer::dimensions() const {
  if (rank == 2) return {shape.kh, shape.kw};
  if (rank == 3) return {shape.c_i_per_group, shape.kh, shape.kw};
  return {shape.c_o, shape.c_i_per_group, shape.kh, shape.kw};
}

PlaneChannels Layer::channels_of_plane(std::int64_t k) const {
  const std::int64_t outer = k / shape.c_i_per_group, group = outer / (shape.c_o / params.groups);
  const std::int64_t inner = group * shape.c_i_per_group + k % shape.c_i_per_group;
  if (enlarging == Enlarging::transposed) return {.input = outer, .output = inner};
  return {.input = inner, .output = outer};
}

namespace {

/// Whether the layer is a kernel of the weight 1 alone, so that it keeps the values that it reads.
bool keeps_values(const Layer& layer) {
  return layer.rank == 2 && layer.shape == KernelShape{1, 1, 1, 1} && layer.weights == std::vector<float>{1} &&
         layer.bias.empty() && layer.divisor.empty() && layer.params.stride == Extent{} && layer.is_kernel();
}

}  // namespace

bool Layer::is_activation() const {
  return outline == Outline::activation ||
         (keeps_values(*this) && params.padding == Padding{} && activation != Activation::none);
}

std::string Layer::kind_text() const {
  if (pooling != Pooling::none) return std::string(kPoolings[static_cast<int>(pooling)]) + " pool";
  if (is_batch_norm || outline == Outline::batch_norm) return "batch normalisation";
  if (enlarging == Enlarging::transposed) return "transposed convolution";
  if (enlarging != Enlarging::none) return std::string(kEnlargings[static_cast<int>(enlarging)]) + " upsampling";
  return add.empty() ? "" : "sum";
}

std::string Layer::size_text() const {
  const auto size = [](std::int64_t h, std::int64_t w) { return join_sizes({h, w}); };
  if (pooling != Pooling::none)
    return std::string(kPoolings[static_cast<int>(pooling)]) + " " +
           (pool.is_global ? "global" : size(shape.kh, shape.kw));
  if (enlarging == Enlarging::transposed) return "transposed " + size(shape.kh, shape.kw);
  if (enlarging != Enlarging::none)
    return std::string(kEnlargings[static_cast<int>(enlarging)]) + " " + size(params.stride.h, params.stride.w);
  if (!add.empty()) return "add " + printable(add);
  if (keeps_values(*this) && params.padding != Padding{}) return "border";
  const bool has_none =
      is_activation() || outline == Outline::batch_norm || shape.kh == 0 || (keeps_values(*this) && name == kInputName);
  return has_none ? "" : size(shape.kh, shape.kw);
}

void check_bank(const Bank& bank) {
  const Layer& first = bank.layers.front();
  const bool combined = bank.combine != Combine::none;
  for (const Layer& layer : bank.layers) {
    if (const std::string kind = layer.kind_text(); !kind.empty() && (combined || bank.layers.size() > 1)) {
      refuse_kernel(bank.name, "'" + layer.name + "' is a " + kind +
                                   ", which cannot be in a bank; make it a separate entry in \"layers\"");
    }
    const char* differs = layer.params.stride != first.params.stride               ? "stride"
                          : !combined                                              ? nullptr
                          : layer.rank != first.rank || layer.shape != first.shape ? "size"
                          : layer.params != first.params                           ? "dilation, padding or groups"
                          : layer.activation != first.activation || layer.activation_numbers != first.activation_numbers
                              ? "activation"
                              : nullptr;
    if (differs != nullptr) {
      refuse_kernel(bank.name, std::string("kernels to be ") + (combined ? "combined" : "stacked") +
                                   " must be alike, but '" + first.name + "' and '" + layer.name + "' differ in " +
                                   differs + "; make it the same" + (combined ? ", or use \"combine\": \"none\"" : ""));
    }
  }
}

namespace {

double magnitude_of(const float* weights, std::int64_t count) {
  double magnitude = 0;
  for (std::int64_t i = 0; i < count; ++i) magnitude += std::fabs(static_cast<double>(weights[i]));
  return magnitude;
}

/// The absolute divisor of an output channel.
double divisor_of(const Layer& layer, std::int64_t o) { return std::fabs(number_of_channel(layer.divisor, o, 1)); }

/// Whether the sums of the weights decide the response to flat areas.
bool answers_by_weights(const Layer& layer) {
  return !layer.is_window_pool() && layer.enlarging == Enlarging::none && layer.add.empty() && !layer.moves_zero();
}

/// The largest absolute sum of the weights above and to the left of a place, of one input channel: the response of one
/// output channel to a corner or an edge there.
double largest_corner(const float* weights, const KernelShape& shape) {
  double largest = 0;
  for (std::int64_t c = 0; c < shape.c_i_per_group; ++c) {
    std::vector<double> above(static_cast<std::size_t>(shape.kw));
    for (std::int64_t y = 0; y < shape.kh; ++y) {
      double row = 0;
      for (std::size_t x = 0; x < above.size(); ++x) {
        row += static_cast<double>(*weights++);
        above[x] += row;
        largest = std::max(largest, std::fabs(above[x]));
      }
    }
  }
  return largest;
}

}  // namespace

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
  if (!answers_by_weights(layer)) return false;
  const std::vector<double> sums = sums_of_weights(layer);
  return std::all_of(sums.begin(), sums.end(), [](double sum) { return sum == 0; });
}

bool is_difference(const Layer& layer) {
  constexpr double kSmall = 1.0 / 64;
  if (!answers_by_weights(layer)) return false;
  const std::int64_t taps = layer.shape.taps();
  for (std::int64_t o = 0; o < layer.shape.c_o; ++o) {
    const float* const weights = layer.weights.data() + o * taps;
    const double sum = std::fabs(sum_of_weights(weights, taps));
    if (sum > kSmall * std::min(magnitude_of(weights, taps), divisor_of(layer, o))) return false;
  }
  return true;
}

double visible_gain(const Bank& bank) {
  constexpr double kVisible = 0.5, kBright = 4,
                   kRounding = 0x1p-20;  // of weights such as 1/6, which floats do not hold
  double corner = 0, share = 0;
  for (const Layer& layer : bank.layers) {
    if (!layer.kind_text().empty()) return 1;
    if (std::any_of(layer.bias.begin(), layer.bias.end(), [](float bias) { return bias != 0; })) return 1;
    const std::int64_t taps = layer.shape.taps();
    for (std::int64_t o = 0; o < layer.shape.c_o; ++o) {
      const float* const weights = layer.weights.data() + o * taps;
      corner = std::max(corner, largest_corner(weights, layer.shape) / divisor_of(layer, o));
      share = std::max(share, magnitude_of(weights, taps) / 2 / divisor_of(layer, o));
    }
  }
  if (share == 0 || corner >= kVisible * (1 - kRounding)) return 1;
  double gain = 1;
  while (gain * share < kBright * (1 - kRounding)) gain *= 2;
  return gain;
}

Mapping resolve_map(OutputMap asked, std::span<const Bank> banks, DType output_dtype) {
  if (asked != OutputMap::automatic) return asked;
  const Bank& last = banks.back();
  const bool differences =
      last.combine == Combine::none && std::all_of(last.layers.begin(), last.layers.end(), is_difference);
  if (!differences || !is_integer(output_dtype)) return OutputMap::clip;
  Mapping mapping = OutputMap::abs;
  if (banks.size() == 1) mapping.gain = visible_gain(last);
  return mapping;
}

}  // namespace convtool
