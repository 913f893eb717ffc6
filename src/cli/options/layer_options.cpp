#include "cli/options/layer_options.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "cli/options/option_value.h"
#include "kernels/kernel_source.h"

namespace convtool {
namespace {

/// The first layer option that was given, as the user knows it, or "".
std::string first_override(const LayerOptions& options) {
  const std::pair<const std::optional<std::string>&, const char*> given[] = {{options.stride, "--stride"},
                                                                             {options.dilation, "--dilation"},
                                                                             {options.padding, "--padding"},
                                                                             {options.pads, "--pads"},
                                                                             {options.padding_mode, "--padding-mode"},
                                                                             {options.padding_value, "--padding-value"},
                                                                             {options.groups, "--groups"},
                                                                             {options.bias, "--bias"},
                                                                             {options.combine, "--combine"}};
  for (const auto& [value, name] : given) {
    if (value) return name;
  }
  return "";
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
      throw Error(ErrorKind::kernel, network.name,
                  std::string(combined ? "a combined bank" : "a network") +
                      " cannot stand beside other kernels; use one --kernel");
    }
    if (part.map && bank.map && *part.map != *bank.map) {
      throw Error(ErrorKind::kernel, network.name,
                  "asks for another map than the kernels before it; say which with --map");
    }
    if (part.map) bank.map = part.map;
    joined.files.insert(joined.files.end(), network.files.begin(), network.files.end());
    joined.name += (joined.name.empty() ? "" : "+") + network.name;
    for (Layer& layer : part.layers) bank.layers.push_back(std::move(layer));
  }
  bank.name = joined.name;
  joined.banks.push_back(std::move(bank));
  return joined;
}

}  // namespace

void add_geometry_options(CLI::App& command, LayerOptions& options, const std::string& group) {
  const auto add = [&](const char* name, std::optional<std::string>& value, const char* type, const char* help) {
    command.add_option(name, value, help)->type_name(type)->group(group);
  };
  add("--stride", options.stride, "S", "2, or HxW such as 3x4");
  add("--dilation", options.dilation, "D", "2, or HxW");
  add("--padding", options.padding, "P", "valid, same, same_lower, full, 1, or HxW per side");
  add("--pads", options.pads, "T,L,B,R", "top, left, bottom and right padding");
  add("--padding-mode", options.padding_mode, "M",
      "zeros, constant, reflect (dcb|abcd|cba), symmetric (cba|abcd|dcb), replicate, circular");
  add("--padding-value", options.padding_value, "V", "for --padding-mode constant");
  add("--groups", options.groups, "G", "as nn.Conv2d");
}

void add_layer_options(CLI::App& command, LayerOptions& options) {
  const char* group = "Layer (the kernel file's unless given here)";
  command
      .add_option("-k,--kernel", options.kernels,
                  "kernel file (.json, .npy), shipped name, NAME:param=value,..., or inline JSON; repeated: a bank")
      ->type_name("K")
      ->allow_extra_args(false);
  add_geometry_options(command, options, group);
  const auto add = [&](const char* name, std::optional<std::string>& value, const char* type, const char* help) {
    command.add_option(name, value, help)->type_name(type)->group(group);
  };
  add("--bias", options.bias, "B", "one number, or one per output channel: 0.5,1,2");
  add("--combine", options.combine, "C", "join a bank's outputs: none, magnitude, l1, max, min, sum, mean");
  command.add_flag("--flip", options.flip, "true convolution: rotate the kernel by 180 degrees")->group(group);
}

void set_padding_mode(const std::optional<std::string>& mode, const std::optional<std::string>& value,
                      ConvParams& params) {
  if (mode) {
    params.padding_mode = static_cast<PaddingMode>(parse_choice("--padding-mode", *mode, kPaddingModes));
    if (params.padding_mode != PaddingMode::constant) params.padding_value = 0;
  }
  if (!value) return;
  const std::vector<float> numbers = parse_numbers("--padding-value", *value);
  if (numbers.size() != 1 || params.padding_mode != PaddingMode::constant)
    throw Error(ErrorKind::usage, "--padding-value", "is one number, for --padding-mode constant");
  params.padding_value = numbers.front();
}

void override_layer(const LayerOptions& options, Layer& layer) {
  ConvParams& params = layer.params;
  if (options.stride) params.stride = parse_extent("--stride", *options.stride, 1);
  if (options.dilation) params.dilation = parse_extent("--dilation", *options.dilation, 1);
  if (options.padding && options.pads)
    throw Error(ErrorKind::usage, "--pads", "cannot stand beside --padding; keep one");
  if (options.padding) params.padding = parse_padding("--padding", *options.padding);
  if (options.pads) params.padding = parse_pads("--pads", *options.pads);
  set_padding_mode(options.padding_mode, options.padding_value, params);
  if (options.groups) {
    const std::int64_t groups = parse_integer("--groups", *options.groups, 1, kLargestParameter);
    if (groups > 1 && layer.rank != 4) {
      throw Error(ErrorKind::usage, "--groups",
                  "needs weights of rank 4, [c_o][c_i/groups][kh][kw] (kernel '" + layer.name + "' has rank " +
                      std::to_string(layer.rank) +
                      (layer.rank == 2 ? ", which filters every channel alone as it is)" : ")"));
    }
    if (layer.shape.c_o % groups != 0) {
      throw Error(ErrorKind::usage, "--groups",
                  std::to_string(groups) + " groups do not divide the " + std::to_string(layer.shape.c_o) +
                      " output channels of kernel '" + layer.name + "'");
    }
    params.groups = groups;
  }
  if (options.bias) {
    layer.bias = parse_numbers("--bias", *options.bias);
    const auto given = static_cast<std::int64_t>(layer.bias.size());
    if (layer.rank != 2 && given != 1 && given != layer.shape.c_o) {
      throw Error(ErrorKind::usage, "--bias",
                  "does not match the output channels of kernel '" + layer.name + "' (expected 1 or " +
                      std::to_string(layer.shape.c_o) + " numbers, got " + std::to_string(given) + ")");
    }
  }
}

Network load_network(const LayerOptions& options) {
  std::vector<Network> networks;
  for (const std::string& argument : options.kernels) networks.push_back(load_kernel(argument));
  Network network = join(std::move(networks));

  const std::string given = first_override(options);
  if (network.banks.size() > 1) {
    if (given.empty()) return network;
    throw Error(ErrorKind::usage, given,
                "is for one layer, but kernel '" + network.name + "' is a network of " +
                    std::to_string(network.banks.size()) + "; set it in the file");
  }
  Bank& bank = network.banks.front();
  if (!given.empty() && bank.layers.front().pooling != Pooling::none)
    throw Error(ErrorKind::usage, given,
                "is for kernels, but '" + network.name + "' pools; give it its size, stride and padding in the file");
  for (Layer& layer : bank.layers) override_layer(options, layer);
  if (options.combine) bank.combine = static_cast<Combine>(parse_choice("--combine", *options.combine, kCombines));
  check_bank(bank);
  return network;
}

}  // namespace convtool
