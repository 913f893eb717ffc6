#include "cli/options/layer_options.h"

#include <utility>

#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "kernels/kernel_source.h"

namespace convtool {
namespace {

constexpr std::string_view kLayerTitle = "Layer", kKernelsElse1 = "the kernel's, else 1";

/// The name of the first layer option that was given, or "".
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
      refuse_kernel(network.name, "is a " + std::string(combined ? "combined bank" : "network") +
                                      ", which cannot be in a bank with other kernels; use one --kernel");
    }
    if (part.map && bank.map && *part.map != *bank.map) {
      refuse_kernel(network.name, "asks for another map than the kernels before it; choose one with --map");
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

/// The text of --padding-mode, with the names that libraries have for each mode.
const std::string& padding_mode_text() {
  static const std::string text = [] {
    std::string list = "The values outside the input. Around a row abcd:\n\n";
    for (const PaddingModeRow& row : kPaddingModeTable) {
      std::string line = "  " + std::string(row.name);
      line.resize(14, ' ');
      line += std::string(row.picture) + "    ";
      const bool is_constant = row.numpy == "constant";  // zeros and constant: a constant in all libraries
      if (is_constant && row.name != "zeros") line += "k is --padding-value";
      if (!is_constant)
        line += "NumPy " + std::string(row.numpy) + ", SciPy " + std::string(row.scipy) + ", OpenCV " +
                std::string(row.opencv);
      list += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return list +
           "\nFor reflect, the padding must be smaller than the input. symmetric and circular repeat the input as "
           "often as needed.";
  }();
  return text;
}

}  // namespace

void add_geometry_options(Command& command, LayerOptions& options) {
  command.add(
      kLayerTitle,
      {{.names = "--stride",
        .value = "S",
        .target = &options.stride,
        .brief = "step between outputs: 2, or HxW",
        .text = "The step from one output to the next, in pixels: one number, or HxW such as 3x4 (rows x columns).",
        .otherwise = kKernelsElse1},
       {.names = "--dilation",
        .value = "D",
        .target = &options.dilation,
        .brief = "distance between taps: 2, or HxW",
        .text = "The distance between neighbouring weights, in pixels of the input: one number, or HxW. With 2, a 3x3 "
                "kernel covers 5x5 pixels and reads every other one.",
        .otherwise = kKernelsElse1},
       {.names = "--padding",
        .value = "P",
        .target = &options.padding,
        .brief = "{words}; 1, or HxW per side",
        .text = "How many pixels are added around the input before it is filtered.\n\n"
                "  valid       none: the output shrinks by the kernel's size minus 1\n"
                "  same        enough for an output of ceil(input / stride); an odd row or column goes to the bottom "
                "or right (ONNX SAME_UPPER)\n"
                "  same_lower  the same, but an odd row or column goes to the top or left\n"
                "  full        every position where the kernel and the input overlap\n"
                "  N, HxW      N on every side, or H above and below, W left and right\n\n"
                "--padding-mode sets the values of the added pixels. --pads sets each side separately.",
        .otherwise = "the kernel's, else valid",
        .words = {kPaddings}},
       {.names = "--pads",
        .value = "T,L,B,R",
        .target = &options.pads,
        .brief = "padding of the top, left, bottom and right side",
        .text = "The padding of each side, in the order of ONNX: top, left, bottom, right.",
        .conflict = "--padding"},
       {.names = "--padding-mode",
        .value = "M",
        .target = &options.padding_mode,
        .brief = "{words}",
        .text = padding_mode_text(),
        .otherwise = "the kernel's, else zeros",
        .words = {kPaddingModes}},
       {.names = "--padding-value",
        .value = "V",
        .target = &options.padding_value,
        .brief = "value of the pixels outside, for --padding-mode constant",
        .text = "The value of the pixels outside the input, in the input's own units, for --padding-mode constant."},
       {.names = "--groups",
        .value = "G",
        .target = &options.groups,
        .brief = "channel groups, as in nn.Conv2d",
        .text = "Split the input channels and the output channels into G groups; each group of outputs reads one group "
                "of inputs, as in nn.Conv2d. Needs weights of rank 4.",
        .otherwise = kKernelsElse1}});
}

void add_kernel_option(Command& command, LayerOptions& options, bool required) {
  command.add(kLayerTitle,
              {{.names = "-k,--kernel",
                .value = "K",
                .target = &options.kernels,
                .brief = "file, name such as sobel, or JSON; repeat for a bank",
                .text = "The kernel. K is one of:\n\n"
                        "  edge.json           a kernel file ('convtool kernels --help' describes them)\n"
                        "  weights.npy         NumPy weights of rank 2, 3 or 4\n"
                        "  blur.mat            a kernel of another program, as 'convtool kernels convert' reads it\n"
                        "  sobel               a shipped kernel ('convtool kernels' lists them)\n"
                        "  gaussian:sigma=2    a generated kernel, with its parameters\n"
                        "  '[[1, -1]]'         JSON, in single quotes, or a kernel of ImageMagick\n\n"
                        "The format of a file is recognized by its content.\n\n"
                        "Several -k form a bank: all kernels read the same input, and their outputs are stacked as "
                        "channels, or combined with --combine. The layer options below override those of the kernel "
                        "file.",
                .words = {kernel_words},
                .takes_files = true,
                .required = required,
                .if_missing = "no kernel given; add one, such as -k sobel ('convtool kernels' lists them)"}});
}

void add_layer_options(Command& command, LayerOptions& options, bool needs_kernel) {
  add_kernel_option(command, options, needs_kernel);
  add_geometry_options(command, options);
  command.add(
      kLayerTitle,
      {{.names = "--bias",
        .value = "B",
        .target = &options.bias,
        .brief = "a number, or one per output channel: 0.5,1,2",
        .text = "A number added to every response, or one per output channel of each kernel, separated by commas.",
        .otherwise = "the kernel's, else 0"},
       {.names = "--combine",
        .value = "C",
        .target = &options.combine,
        .brief = "for a bank: {words}",
        .text = "How the outputs of a bank's kernels are combined, channel by channel:\n\n"
                "  none         not at all: they are stacked as channels\n"
                "  magnitude    the root of the sum of squares (the L2 norm)\n"
                "  l1           the sum of absolute values\n"
                "  max, min, sum, mean",
        .otherwise = "the bank's, else none",
        .words = {kCombines}},
       {.names = "--flip",
        .target = &options.flip,
        .brief = "convolve: rotate the kernel by 180 degrees",
        .text = "Rotate the kernel by 180 degrees, which makes the operation a convolution in the mathematical sense. "
                "By default it is a cross-correlation, as in PyTorch and OpenCV."}});
}

void add_size_options(Command& command, SizeOptions& options) {
  command.add("Layer without weights",
              {{.names = "--kernel-size",
                .value = "K",
                .target = &options.kernel_size,
                .brief = "instead of a kernel: 5, or HxW",
                .text = "The size of a layer without weights, instead of --kernel: one number, or HxW."},
               {.names = "--out-channels",
                .value = "C",
                .target = &options.out_channels,
                .brief = "with --kernel-size: number of output channels",
                .otherwise = "1"}});
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
    if (layer.rank != 2 && given != 1 && given != layer.shape.c_o) {
      refuse_usage("--bias", "does not match the output channels of kernel '" + layer.name + "' (expected 1 or " +
                                 std::to_string(layer.shape.c_o) + " numbers, got " + std::to_string(given) + ")");
    }
  }
}

Layer layer_of_size(const SizeOptions& size, const LayerOptions& options, std::int64_t c_i) {
  const Extent extent = parse_extent("--kernel-size", *size.kernel_size, 1);
  Layer layer{.name = size.kernel_size->find('x') == std::string::npos ? *size.kernel_size + "x" + *size.kernel_size
                                                                       : *size.kernel_size,
              .rank = 4};
  layer.shape = {
      .c_o = size.out_channels ? parse_integer("--out-channels", *size.out_channels, 1, kLargestParameter) : 1,
      .c_i_per_group = c_i,
      .kh = extent.h,
      .kw = extent.w};
  override_layer(options, layer);
  if (c_i % layer.params.groups != 0) {
    refuse_usage("--groups", std::to_string(layer.params.groups) + " groups do not divide the " + std::to_string(c_i) +
                                 " input channels");
  }
  layer.shape.c_i_per_group = c_i / layer.params.groups;
  return layer;
}

Network load_network(const LayerOptions& options) {
  std::vector<Network> networks;
  for (const std::string& argument : options.kernels) networks.push_back(load_kernel(argument));
  Network network = join(std::move(networks));

  const std::string given = first_override(options);
  if (network.banks.size() > 1) {
    if (given.empty()) return network;
    refuse_usage(given, "applies to one layer, but '" + network.name + "' is a network of " +
                            std::to_string(network.banks.size()) + " layers; set it in the kernel file");
  }
  Bank& bank = network.banks.front();
  if (!given.empty() && bank.layers.front().pooling != Pooling::none)
    refuse_usage(given, "applies to kernels, but '" + network.name +
                            "' is a pool; set size, stride and padding in the kernel file");
  for (Layer& layer : bank.layers) override_layer(options, layer);
  if (options.combine) bank.combine = static_cast<Combine>(parse_choice("--combine", *options.combine, kCombines));
  check_bank(bank);
  return network;
}

}  // namespace convtool
