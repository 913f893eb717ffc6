#include "cli/options/load_network.h"

#include <algorithm>
#include <utility>

#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "core/text.h"
#include "network/bias.h"
#include "network/chain.h"

namespace convtool {
namespace {

/// Replaces the divisor of `layer`.
void override_divisor(const LayerOptions& options, Layer& layer) {
  if ((options.divisor || options.normalize) && layer.outline != Outline::none)
    refuse_usage(options.divisor ? "--divisor" : "--normalize",
                 "divides weights, which layer '" + layer.name + "' does not have; leave it out");
  if (options.divisor) {
    const double divisor = parse_finite("--divisor", *options.divisor);
    if (divisor == 0) refuse_usage("--divisor", "'" + *options.divisor + "' is not valid (expected a number but 0)");
    layer.divisor.clear();
    if (divisor != 1) layer.divisor = {divisor};
  }
  if (options.normalize) {
    layer.divisor = sums_of_weights(layer);
    if (std::find(layer.divisor.begin(), layer.divisor.end(), 0.0) != layer.divisor.end())
      refuse_usage("--normalize", "divides by the sum of the weights, which is 0 for kernel '" + layer.name +
                                      "'; leave it out, or choose --divisor D");
  }
  if ((options.divisor || options.normalize) && !fits_float_divided(layer))
    refuse_usage(options.divisor ? "--divisor" : "--normalize",
                 "a weight of kernel '" + layer.name + "' is beyond float32 after the division");
}

/// One bank of all the kernels that were named. A kernel that is itself a combined bank or a network cannot be a
/// member.
Network join(std::vector<Network> networks) {
  if (networks.size() == 1) return std::move(networks.front());
  Network joined;
  Bank bank{.name = ""};
  for (Network& network : networks) {
    Bank& part = network.banks.front();
    const bool combined = part.combine != Combine::none;
    if (network.banks.size() > 1 || combined) {
      refuse_kernel(network.name, "is a " + std::string(combined ? "combined bank" : "network") +
                                      ", which cannot be in a bank with other kernels; use one --kernel");
    }
    if (part.map && bank.map && *part.map != *bank.map) {
      refuse_kernel(network.name, "asks for another map than the kernels before it; choose one with --map");
    }
    if (part.map) bank.map = part.map;
    if (&network != &networks.front() && network.input != joined.input)
      refuse_kernel(network.name,
                    "scales its input in another way than the kernels before it; give all the same "
                    "\"input\", or none");
    joined.input = network.input;
    joined.files.insert(joined.files.end(), network.files.begin(), network.files.end());
    joined.name += (joined.name.empty() ? "" : "+") + network.name;
    for (Layer& layer : part.layers) bank.layers.push_back(std::move(layer));
  }
  bank.name = joined.name;
  joined.banks.push_back(std::move(bank));
  return joined;
}

template <class Predicate>
bool has_layer(const Network& network, Predicate&& predicate) {
  return std::any_of(network.banks.begin(), network.banks.end(),
                     [&](const Bank& bank) { return std::any_of(bank.layers.begin(), bank.layers.end(), predicate); });
}

/// Overrides the options of the kernels of one stage.
void override_stage(const LayerOptions& options, Network& network) {
  const std::string given = options.first();
  if (network.banks.size() > 1) {
    if (given.empty()) return;
    refuse_usage(given, "applies to one layer, but '" + network.name + "' is a network of " +
                            std::to_string(network.banks.size()) + " layers; set it in the kernel file");
  }
  Bank& bank = network.banks.front();
  if (const std::string kind = bank.layers.front().kind_text(); !given.empty() && !kind.empty())
    refuse_usage(
        given, "applies to kernels, but '" + network.name + "' is a " + kind + "; set its options in the kernel file");
  for (Layer& layer : bank.layers) override_layer(options, layer);
  if (options.combine) bank.combine = static_cast<Combine>(parse_choice("--combine", *options.combine, kCombines));
  check_bank(bank);
}

/// The layer of --kernel-size.
Network load_size(const SizeOptions& size, const ChainOptions& chain) {
  if (!chain.then.empty())
    refuse_usage("--then", "runs after the kernel of -k, but --kernel-size is given; leave one of them out");
  const LayerOptions options = options_of(chain, 0);
  if (options.divisor || options.normalize)
    refuse_usage(options.divisor ? "--divisor" : "--normalize",
                 "divides weights, which a layer of --kernel-size does not have; leave it out");
  if (chain.flip) refuse_usage("--flip", "rotates weights, but a layer of --kernel-size has none; leave it out");
  if (options.combine)
    refuse_usage("--combine", "combines the kernels of a bank, but --kernel-size is one layer; leave it out");
  const Extent extent = parse_extent("--kernel-size", *size.kernel_size, 1);
  Layer layer{.name = join_sizes({extent.h, extent.w}), .rank = 4};
  layer.shape = {
      .c_o = size.out_channels ? parse_integer("--out-channels", *size.out_channels, 1, kLargestParameter) : 1,
      .c_i_per_group = 0,
      .kh = extent.h,
      .kw = extent.w};
  layer.outline = Outline::kernel;
  override_layer(options, layer);
  return {.name = layer.name, .banks = {{.name = layer.name, .layers = {layer}}}};
}

/// The layers of --layers, which has its own words for all options of a layer.
Network load_text(const SizeOptions& size, const ChainOptions& chain) {
  const auto refuse = [](const std::string& option) {
    refuse_usage(option,
                 "applies to kernels of -k; options of --layers are a part of its text, such as conv 3 64 s2 p1");
  };
  if (!chain.then.empty()) refuse("--then");
  if (chain.flip) refuse("--flip");
  if (const std::string given = options_of(chain, 0).first(); !given.empty()) refuse(given);
  return load_layers(*size.layers);
}

}  // namespace

void set_padding_mode(const std::optional<std::string>& mode, const std::optional<std::string>& value,
                      ConvParams& params) {
  if (mode) {
    params.padding_mode = static_cast<PaddingMode>(parse_choice("--padding-mode", *mode, kPaddingModes));
    if (params.padding_mode != PaddingMode::constant) params.padding_value = 0;
  }
  if (!value) return;
  const std::vector<float> numbers = parse_numbers("--padding-value", *value);
  if (numbers.size() != 1 || params.padding_mode != PaddingMode::constant)
    refuse_usage("--padding-value", "expected one number, together with --padding-mode constant");
  params.padding_value = numbers.front();
}

void override_layer(const LayerOptions& options, Layer& layer) {
  ConvParams& params = layer.params;
  if (options.stride) params.stride = parse_extent("--stride", *options.stride, 1);
  if (options.dilation) params.dilation = parse_extent("--dilation", *options.dilation, 1);
  if (options.padding) params.padding = parse_padding("--padding", *options.padding);
  if (options.pads) params.padding = parse_pads("--pads", *options.pads);
  set_padding_mode(options.padding_mode, options.padding_value, params);
  if (options.groups) {
    const std::int64_t groups = parse_integer("--groups", *options.groups, 1, kLargestParameter);
    if (groups > 1 && layer.rank != 4) {
      refuse_usage("--groups", "needs weights of rank 4, [c_o][c_i/groups][kh][kw] (kernel '" + layer.name +
                                   "' has rank " + std::to_string(layer.rank) +
                                   (layer.rank == 2 ? ", which already filters each channel separately)" : ")"));
    }
    if (layer.shape.c_o % groups != 0) {
      refuse_usage("--groups", std::to_string(groups) + " groups do not divide the " + std::to_string(layer.shape.c_o) +
                                   " output channels of kernel '" + layer.name + "'");
    }
    params.groups = groups;
  }
  if (options.bias) {
    layer.bias = parse_numbers("--bias", *options.bias);
    const auto given = static_cast<std::int64_t>(layer.bias.size());
    if (layer.rank != 2 && given != 1 && given != layer.output_channels()) {
      refuse_usage("--bias", "does not match the output channels of kernel '" + layer.name + "' (expected " +
                                 bias_sizes(layer.output_channels()) + ", got " + std::to_string(given) + ")");
    }
  }
  override_divisor(options, layer);
}

Network load_network(const ChainOptions& options, Weights weights) {
  if (!options.then.empty() && options.then.front().place < options.kernels.back().place)
    refuse_usage("--then", "'" + options.then.front().value +
                               "' would run before a kernel of -k; name all kernels of -k first: -k " +
                               options.kernels.front().value + " --then " + options.then.front().value);
  std::vector<Network> bank;
  for (const PlacedValue& kernel : options.kernels) bank.push_back(load_kernel(kernel.value, weights));
  std::vector<Network> stages = {join(std::move(bank))};
  for (const PlacedValue& next : options.then) stages.push_back(load_kernel_of("--then", next.value, weights));
  for (std::size_t i = 0; i < stages.size(); ++i) override_stage(options_of(options, i), stages[i]);
  Network network = chain(std::move(stages));
  check_channels(network);
  if (options.flip && !has_layer(network, [](const Layer& layer) { return layer.is_kernel(); }))
    refuse_usage("--flip", "rotates kernels, but '" + network.name + "' has none; leave it out");
  return network;
}

void check_algorithm(const std::string& algorithm, const Network& network) {
  if (algorithm != "auto" && !has_layer(network, [](const Layer& layer) { return !layer.is_window_pool(); }))
    refuse_usage("--algorithm", "chooses how kernels are computed, but '" + network.name + "' has none; leave it out");
}

Network load_shapes(const SizeOptions& size, const ChainOptions& options) {
  const int given = (options.kernels.empty() ? 0 : 1) + (size.kernel_size ? 1 : 0) + (size.layers ? 1 : 0);
  if (given > 1)
    refuse_usage(
        size.layers ? "--layers" : "--kernel-size",
        "stands in place of --kernel" + std::string(size.layers ? " and --kernel-size" : "") + "; give one of them");
  if (given == 0)
    refuse_usage("--kernel", "expected --kernel, or --kernel-size or --layers for layers without weights");
  if (size.out_channels && !size.kernel_size)
    refuse_usage(
        "--out-channels",
        "needs --kernel-size; " + std::string(size.layers ? "in --layers, output channels follow the size: conv 3 64"
                                                          : "a kernel has its own output channels"));
  if (size.layers) return load_text(size, options);
  return size.kernel_size ? load_size(size, options) : load_network(options, Weights::optional);
}

}  // namespace convtool
