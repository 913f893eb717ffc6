#include "cli/options/scaling_options.h"

#include <cmath>
#include <string_view>
#include <utility>

#include "cli/options/option_value.h"
#include "core/text.h"
#include "network/input_scaling.h"

namespace convtool {
namespace {

constexpr const char *kScale = "--input-scale", *kMean = "--mean", *kDeviation = "--std", *kOrder = "--channel-order";

/// "0.5", or one number per channel.
std::vector<double> parse_channels(const char* option, const std::string& text) {
  std::vector<double> numbers;
  std::string_view rest = text;
  for (bool is_last = false; !is_last;) {
    const std::size_t comma = rest.find(',');
    is_last = comma == std::string_view::npos;
    const auto number = parse_number<double>(rest.substr(0, comma));
    if (!number || !std::isfinite(*number))
      refuse_usage(option, "'" + text +
                               "' is not valid (expected a number, or one per channel separated by commas, such as "
                               "0.485,0.456,0.406)");
    numbers.push_back(*number);
    if (!is_last) rest.remove_prefix(comma + 1);
  }
  return numbers;
}

/// The option for a member of InputScaling.
const char* option_of(const std::string& member) {
  return member == "scale" ? kScale : member == "mean" ? kMean : member == "std" ? kDeviation : kOrder;
}

/// Refuses a mean or std that has not as many numbers as the other one, which is that of the kernel.
void check_counts(const ScalingOptions& options, const std::string& kernel, const InputScaling& scaling) {
  const auto refuse = [&](const char* option, const std::vector<double>& given, const char* other_option,
                          const char* other_name, const std::vector<double>& other) {
    refuse_usage(option, counted(std::ssize(given), "number") + ", but the " + other_name + " in '" + kernel +
                             "' has " + std::to_string(other.size()) + "; give one number, as many, or " +
                             other_option + " as well");
  };
  const auto& [scale, mean, deviation, order] = scaling;
  if (mean.size() <= 1 || deviation.size() <= 1 || mean.size() == deviation.size()) return;
  if (options.mean && !options.deviation) refuse(kMean, mean, kDeviation, "std", deviation);
  if (options.deviation && !options.mean) refuse(kDeviation, deviation, kMean, "mean", mean);
}

}  // namespace

std::vector<const char*> scaling_option_names() { return {kScale, kMean, kDeviation, kOrder}; }

void add_scaling_options(Command& command, ScalingOptions& options) {
  constexpr const char* kElse = "the kernel's \"input\", else none";
  command.add(
      "Input",
      {{.names = kScale,
        .value = "S",
        .target = &options.scale,
        .brief = "multiply pixels before the first layer: 1/255",
        .text = "Scale the pixels before the first layer, as networks were trained: (x * S - MEAN) / STD, channel "
                "by channel, before any padding. S is a number, or a fraction such as 1/255. The scaled input is "
                "layer 1 of reports, of --dump-layers and of explanations; where the padding of the next layer "
                "allows it, both run as one. --map auto is then normalize, unless pixels keep their values.\n\n"
                "Each of --input-scale, --mean, --std and --channel-order replaces only its own part of the kernel's "
                "\"input\". For pixels of 16 bits, a model that expects 0 to 255 needs 1/257, and one that expects 0 "
                "to 1 needs 1/65535. A grey picture is repeated to the three channels of a network that reads colours.",
        .otherwise = kElse},
       {.names = kMean,
        .value = "R,G,B",
        .target = &options.mean,
        .brief = "then subtract a mean, one or one per channel",
        .text =
            "Subtract this mean from pixels, after they are multiplied by --input-scale if that is given. One number "
            "for all channels, or one per channel in the order of the picture, R, G, B.",
        .otherwise = kElse},
       {.names = kDeviation,
        .value = "R,G,B",
        .target = &options.deviation,
        .brief = "then divide by a standard deviation, likewise",
        .text = "Divide what is left by this standard deviation: one number, or one per channel.",
        .otherwise = kElse},
       {.names = kOrder,
        .value = "O",
        .target = &options.order,
        .brief = "order of the colours that the first layer reads: {words}",
        .text = "The order of the colours that the first layer reads: {words}. With bgr, the first and the third "
                "channel are swapped after scaling.",
        .otherwise = "the kernel's \"input\", else rgb",
        .words = {kChannelOrders}}});
}

const char* ScalingOptions::first_given() const {
  return scale ? kScale : mean ? kMean : deviation ? kDeviation : order ? kOrder : nullptr;
}

void set_scaling(const ScalingOptions& options, Network& network) {
  if (options.first_given() == nullptr) return;
  InputScaling scaling = network.input.value_or(InputScaling{});
  if (options.scale) {
    const std::optional<double> scale = parse_scale(*options.scale);
    if (!scale)
      refuse_usage(kScale, "'" + *options.scale +
                               "' is not valid (expected a number other than 0, or a fraction such as 1/255)");
    scaling.scale = *scale;
  }
  if (options.mean) scaling.mean = parse_channels(kMean, *options.mean);
  if (options.deviation) scaling.deviation = parse_channels(kDeviation, *options.deviation);
  if (options.order) scaling.order = static_cast<ChannelOrder>(parse_choice(kOrder, *options.order, kChannelOrders));
  check_counts(options, network.name, scaling);
  if (const std::optional<ScalingFlaw> flaw = find_flaw(scaling)) refuse_usage(option_of(flaw->member), flaw->text);
  network.input = std::move(scaling);
}

void set_network(const ScalingOptions& options, Network network, FilterSpec& spec) {
  set_scaling(options, network);
  spec.scaling = network.input;
  spec.network = with_scaling_as_layer(std::move(network));
  if (spec.scaling) spec.grey_scaling = scaling_of_grey(spec.network);
}

}  // namespace convtool
