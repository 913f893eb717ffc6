#include "network/input_scaling.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/float_range.h"
#include "core/text.h"
#include "network/residual.h"

namespace convtool {
namespace {

/// Of the means or deviations, which may be empty, one number, or one per channel.
double number_of(const std::vector<double>& numbers, std::size_t channel, double otherwise) {
  if (numbers.empty()) return otherwise;
  return numbers[numbers.size() == 1 ? 0 : channel];
}

/// The channels that the scaling names; 1 where it is the same for any number of them.
std::size_t named_channels(const InputScaling& scaling) {
  return std::max({scaling.mean.size(), scaling.deviation.size(), std::size_t{1}});
}

/// The channels that the first layer takes, after a copy of the input; nothing where it filters each by itself.
std::optional<std::int64_t> channels_taken(const Network& network) {
  const bool is_copied = network.banks.size() > 1 && is_input_copy(network.banks.front());
  for (const Layer& layer : network.banks[is_copied ? 1 : 0].layers)
    if (layer.rank > 2 && layer.input_channels() > 0) return layer.input_channels();
  return std::nullopt;
}

/// The channels that the scaling computes; nothing for any number.
std::optional<std::int64_t> channels_of(const Network& network) {
  const InputScaling& scaling = *network.input;
  const auto named = static_cast<std::int64_t>(named_channels(scaling));
  const std::optional<std::int64_t> taken = channels_taken(network);
  if (named > 1) {
    if (taken && *taken != named)
      refuse_kernel(network.name, "the input is scaled with " + std::to_string(named) +
                                      " numbers of mean or std, but its first layer takes " +
                                      counted(*taken, "channel") + "; give one number, or one per channel");
    return named;
  }
  if (scaling.order == ChannelOrder::rgb) return std::nullopt;
  constexpr std::int64_t kColours = 3;
  if (taken && *taken < kColours)
    refuse_kernel(network.name, "the order bgr is one of three colours, but its first layer takes " +
                                    counted(*taken, "channel") + "; leave the order out");
  return taken.value_or(kColours);
}

}  // namespace

std::optional<double> parse_scale(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto top = parse_number<double>(text.substr(0, slash));
  const auto bottom =
      slash == std::string_view::npos ? std::optional(1.0) : parse_number<double>(text.substr(slash + 1));
  if (!top || !bottom || !std::isfinite(*top / *bottom) || *top / *bottom == 0) return std::nullopt;
  return *top / *bottom;
}

std::optional<ScalingFlaw> find_flaw(const InputScaling& scaling) {
  const auto& [scale, mean, deviation, order] = scaling;
  if (!std::isfinite(scale) || scale == 0) return ScalingFlaw{"scale", "expected a number other than 0"};
  for (const double value : deviation)
    if (!std::isfinite(value) || value <= 0)
      return ScalingFlaw{"std", "pixels are divided by it, so it has to be above 0 (got " + to_text(value) + ")"};
  if (mean.size() > 1 && deviation.size() > 1 && mean.size() != deviation.size())
    return ScalingFlaw{"std", counted(std::ssize(deviation), "number") + ", but mean has " +
                                  std::to_string(mean.size()) + "; give both one number per channel"};
  const std::size_t channels = named_channels(scaling);
  if (order == ChannelOrder::bgr && channels == 2)
    return ScalingFlaw{"order", "bgr swaps the first and the third channel, but mean or std has two numbers"};
  for (std::size_t c = 0; c < channels; ++c) {
    const double divisor = number_of(deviation, c, 1);
    if (!fits_float(scale / divisor) || !std::isnormal(divisor / scale) || !fits_float(number_of(mean, c, 0) / divisor))
      return ScalingFlaw{deviation.empty() ? "scale" : "std", "scaled pixels are beyond float32"};
  }
  return std::nullopt;
}

void check_input_channels(const InputScaling& scaling, std::int64_t channels) {
  const auto named = static_cast<std::int64_t>(named_channels(scaling));
  if (named > 1 && named != channels)
    refuse_shape("", "the input has " + counted(channels, "channel") + ", but is scaled with " + std::to_string(named) +
                         " numbers of mean or std; give one number, or one per channel");
  if (scaling.order == ChannelOrder::bgr && channels < 3)
    refuse_shape("", "the input has " + counted(channels, "channel") +
                         ", but the order bgr is one of three colours; leave the order out");
}

Network with_scaling_as_layer(Network network) {
  if (!network.input) return network;
  const std::optional<std::int64_t> channels = channels_of(network);
  const InputScaling scaling = *std::exchange(network.input, std::nullopt);
  const auto outputs = static_cast<std::size_t>(channels.value_or(1));
  const bool swaps = scaling.order == ChannelOrder::bgr;
  Layer layer{.name = std::string(kInputName), .rank = channels ? 4 : 2};
  layer.shape.c_o = channels.value_or(1);
  layer.shape.c_i_per_group = swaps ? *channels : 1;
  layer.params.groups = channels && !swaps ? *channels : 1;
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t from = swaps && o < 3 ? 2 - o : o;
    for (std::size_t c = 0; swaps && c < outputs; ++c) layer.weights.push_back(c == from ? 1 : 0);
    if (!swaps) layer.weights.push_back(1);
    const double deviation = number_of(scaling.deviation, from, 1);
    layer.divisor.push_back(deviation / scaling.scale);
    layer.bias.push_back(static_cast<float>(-number_of(scaling.mean, from, 0) / deviation));
  }
  if (std::all_of(layer.bias.begin(), layer.bias.end(), [](float bias) { return bias == 0; })) layer.bias.clear();
  if (network.banks.size() > 1 && is_input_copy(network.banks.front())) network.banks.erase(network.banks.begin());
  network.banks.insert(network.banks.begin(), Bank{.name = layer.name, .layers = {layer}});
  return network;
}

std::optional<Bank> scaling_of_grey(const Network& network) {
  constexpr std::int64_t kColours = 3;
  if (network.banks.size() < 2) return std::nullopt;
  const std::vector<Layer>& next = network.banks[1].layers;
  const auto takes_colours = [](const Layer& layer) { return layer.rank > 2 && layer.input_channels() == kColours; };
  if (std::none_of(next.begin(), next.end(), takes_colours)) return std::nullopt;
  Bank bank = network.banks.front();
  Layer& layer = bank.layers.front();
  layer.rank = 4;
  layer.shape = {.c_o = kColours, .c_i_per_group = 1, .kh = 1, .kw = 1};
  layer.params.groups = 1;
  layer.weights.assign(static_cast<std::size_t>(kColours), 1.0F);
  return bank;
}

}  // namespace convtool
