#include "network/folding/scaling_folding.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/float_range.h"
#include "network/per_channel.h"

namespace convtool {
namespace {

/// Channel c of the result is channel `source` of the input over `divisor`, plus `offset`.
struct ScaledChannel {
  std::int64_t source;
  double divisor, offset;
};

/// Whether the layer is a convolution, such as batch normalisation, on the output of the layer before it.
bool is_convolution(const Layer& layer) {
  return layer.is_kernel() && layer.enlarging == Enlarging::none && layer.from.empty();
}

/// How `bank` scales each channel of an input of `c_i`; empty where it does something else.
std::vector<ScaledChannel> channels_of(const Bank& bank, std::int64_t c_i) {
  const Layer& layer = bank.layers.front();
  const ConvParams& params = layer.params;
  if (bank.layers.size() > 1 || bank.combine != Combine::none || !is_convolution(layer) ||
      layer.activation != Activation::none || layer.shape.kh != 1 || layer.shape.kw != 1 || params.stride != Extent{} ||
      params.padding.rule != Padding::Rule::fixed || params.padding.pads != Pads{})
    return {};
  std::vector<ScaledChannel> channels;
  const std::int64_t c_o = layer.rank == 2 ? c_i : layer.shape.c_o, taps = layer.shape.c_i_per_group;
  const std::int64_t per_group = layer.rank == 2 ? 1 : c_o / params.groups;
  for (std::int64_t o = 0; o < c_o; ++o) {
    const float* const weights = layer.weights.data() + (layer.rank == 2 ? 0 : o * taps);
    const auto* const end = weights + taps;
    const auto* const found = std::find_if(weights, end, [](float weight) { return weight != 0; });
    if (found == end || std::any_of(found + 1, end, [](float weight) { return weight != 0; })) return {};
    channels.push_back({.source = o / per_group * taps + (found - weights),
                        .divisor = number_of_channel(layer.divisor, o, 1) / static_cast<double>(*found),
                        .offset = number_of_channel(layer.bias, o, 0)});
  }
  return channels;
}

/// Whether the channels are those of an input of `c_i`, each once, in any order.
bool are_each_once(const std::vector<ScaledChannel>& channels, std::int64_t c_i) {
  std::vector<bool> seen(static_cast<std::size_t>(c_i));
  for (const ScaledChannel& channel : channels) {
    if (seen[static_cast<std::size_t>(channel.source)]) return false;
    seen[static_cast<std::size_t>(channel.source)] = true;
  }
  return std::ssize(channels) == c_i;
}

bool is_shifted(const ScaledChannel& channel) { return channel.offset != 0; }

/// Whether a sum of products at the border is one of pixels, too.
bool holds_at_border(const ConvProblem& problem, const std::vector<ScaledChannel>& channels) {
  if (problem.pads == Pads{} || !is_constant(problem.padding_mode)) return true;
  return problem.padding_value == 0 && std::none_of(channels.begin(), channels.end(), is_shifted);
}

/// `layer` with the scaling of its input channels, which are_each_once(); nothing where that is not possible.
std::optional<Layer> fold(const std::vector<ScaledChannel>& channels, const Layer& layer) {
  const auto count = static_cast<std::int64_t>(channels.size());
  const bool is_uniform = std::all_of(channels.begin(), channels.end(), [&](const ScaledChannel& channel) {
    return channel.divisor == channels.front().divisor && channel.offset == channels.front().offset;
  });
  bool is_in_place = true;
  for (std::int64_t c = 0; c < count; ++c) is_in_place &= channels[static_cast<std::size_t>(c)].source == c;
  if (!is_in_place && (layer.rank == 2 || layer.params.groups > 1)) return std::nullopt;

  Layer folded = layer;
  folded.is_batch_norm = false;
  const bool is_alike = is_uniform && layer.bias.size() <= 1 && layer.divisor.size() <= 1;
  if (layer.rank == 2 && !is_alike) {  // from here on, each channel has a kernel of its own
    folded.rank = 4;
    folded.shape.c_o = folded.params.groups = count;
    folded.weights.clear();
    for (std::int64_t c = 0; c < count; ++c)
      folded.weights.insert(folded.weights.end(), layer.weights.begin(), layer.weights.end());
  }
  const KernelShape& shape = folded.shape;
  const std::int64_t plane = shape.kh * shape.kw, per_group = shape.c_o / folded.params.groups;
  const std::vector<float> weights = folded.weights;
  folded.divisor.clear();
  folded.bias.clear();
  for (std::int64_t o = 0; o < shape.c_o; ++o) {
    const auto channel = [&](std::int64_t c) -> const ScaledChannel& {
      return channels[static_cast<std::size_t>(folded.rank == 2 ? 0 : o / per_group * shape.c_i_per_group + c)];
    };
    const double divisor = number_of_channel(layer.divisor, o, 1);
    bool is_same = true;
    for (std::int64_t c = 1; c < shape.c_i_per_group; ++c) is_same &= channel(c).divisor == channel(0).divisor;
    double shift = 0;
    for (std::int64_t c = 0; c < shape.c_i_per_group; ++c) {
      const ScaledChannel& from = channel(c);
      const float* const own = weights.data() + (o * shape.c_i_per_group + c) * plane;
      const std::int64_t target = is_in_place ? c : from.source;
      double sum = 0;
      for (std::int64_t i = 0; i < plane; ++i) {
        const double weight = own[i];
        sum += weight;
        folded.weights[static_cast<std::size_t>((o * shape.c_i_per_group + target) * plane + i)] =
            is_same ? own[i] : static_cast<float>(weight / from.divisor);
      }
      shift += sum * from.offset;
    }
    folded.divisor.push_back(is_same ? divisor * channel(0).divisor : divisor);
    folded.bias.push_back(static_cast<float>(number_of_channel(layer.bias, o, 0) + shift / divisor));
  }
  const auto fits = [](double number) { return std::isnormal(number); };
  if (!std::all_of(folded.divisor.begin(), folded.divisor.end(), fits) || !fits_float_divided(folded))
    return std::nullopt;
  if (!std::all_of(folded.bias.begin(), folded.bias.end(), [](float bias) { return std::isfinite(bias); }))
    return std::nullopt;
  return folded;
}

}  // namespace

std::optional<Bank> fold_scaling(const Bank& first, const Bank& second, DType dtype, const Shape& input) {
  const BankGeometry before = bank_geometry(first, dtype, input);
  const std::vector<ScaledChannel> channels = channels_of(first, input.c);
  if (!are_each_once(channels, input.c)) return std::nullopt;
  const BankGeometry after = bank_geometry(second, DType::f32, before.output);
  Bank bank = second;
  for (std::size_t i = 0; i < bank.layers.size(); ++i) {
    Layer& layer = bank.layers[i];
    if (!is_convolution(layer) || !holds_at_border(after.problems[i], channels)) return std::nullopt;
    std::optional<Layer> folded = fold(channels, layer);
    if (!folded) return std::nullopt;
    layer = *std::move(folded);
  }
  bank.name = first.name + " then " + second.name;
  bank.description.clear();
  return bank;
}

}  // namespace convtool
