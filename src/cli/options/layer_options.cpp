#include "cli/options/layer_options.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "core/text.h"
#include "kernels/kernel_source.h"
#include "network/bias.h"
#include "network/chain.h"

namespace convtool {
namespace {

constexpr std::string_view kLayerTitle = "Layer", kKernelsElse1 = "the kernel's, else 1";

/// An option of a layer: as given, and of one stage.
struct Field {
  const char* name;
  PlacedValues ChainOptions::*given;
  std::optional<std::string> LayerOptions::*value;
};
constexpr Field kFields[] = {{"--stride", &ChainOptions::stride, &LayerOptions::stride},
                             {"--dilation", &ChainOptions::dilation, &LayerOptions::dilation},
                             {"--padding", &ChainOptions::padding, &LayerOptions::padding},
                             {"--pads", &ChainOptions::pads, &LayerOptions::pads},
                             {"--padding-mode", &ChainOptions::padding_mode, &LayerOptions::padding_mode},
                             {"--padding-value", &ChainOptions::padding_value, &LayerOptions::padding_value},
                             {"--groups", &ChainOptions::groups, &LayerOptions::groups},
                             {"--bias", &ChainOptions::bias, &LayerOptions::bias},
                             {"--divisor", &ChainOptions::divisor, &LayerOptions::divisor},
                             {"--normalize", &ChainOptions::normalize, &LayerOptions::normalize},
                             {"--combine", &ChainOptions::combine, &LayerOptions::combine}};

/// The name of the first layer option that was given, or "".
std::string first_override(const LayerOptions& options) {
  for (const Field& field : kFields)
    if (options.*field.value) return field.name;
  return "";
}

std::vector<std::string> values_of(const PlacedValues& placed) {
  std::vector<std::string> values;
  for (const PlacedValue& value : placed) values.push_back(value.value);
  return values;
}

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

/// The text of --layers.
const std::string& layers_text() {
  static const std::string text =
      "Layers without weights, instead of --kernel: a text, JSON, or a file of either. In a text they are separated by "
      "commas or lines; # begins a comment. A layer is a word, its numbers, and its options:\n\n"
      "  conv K C       a convolution of size K, N or HxW, with C output channels\n"
      "  dwconv K       one that filters each channel alone\n"
      "  tconv K C      a transposed convolution\n"
      "  maxpool K, avgpool K    the stride is K by default; or global\n"
      "  upsample N     enlarges by N or HxW\n"
      "  bn             batch normalisation: two parameters per channel\n"
      "  linear N       a fully connected layer with N outputs, on all values\n"
      "  add NAME       a sum with the layer called NAME, for shortcuts\n"
      "  relu, relu6, leaky_relu, sigmoid, tanh, silu, hardswish\n\n"
      "  sN, pN, dN     stride, padding, dilation: N or HxW; pT,L,B,R: four sides\n"
      "  valid, same, same_lower, full    as for --padding\n"
      "  gN             groups; oN: output padding of tconv\n"
      "  ceil           of pools: round sizes up; bilinear: of upsample\n"
      "  nobias         without the biases of conv, dwconv and linear\n"
      "  xN             the layer N times\n"
      "  as NAME        names the layer; from NAME: reads that layer, not the one before\n\n"
      "In JSON, a list of layers: a text as above in quotes, or an object of a kernel file, with sums and \"from\", "
      "such "
      "as {\"kernel_size\": 3, \"out_channels\": 64} for a convolution, also with \"transposed\": true; {\"linear\": "
      "10}; {\"batch_norm\": {}}; {\"activation\": \"relu\"}. \"bias\": false leaves the bias out. - reads standard "
      "input.";
  return text;
}

/// The rows --stride to --groups. Of ChainOptions, options_of() checks conflicts, kernel by kernel.
template <class Options>
void add_geometry(Command& command, Options& options) {
  const bool is_chain = std::is_same_v<Options, ChainOptions>;
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
        .conflict = is_chain ? "" : "--padding"},
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

}  // namespace

void add_geometry_options(Command& command, LayerOptions& options) { add_geometry(command, options); }

void add_chain_options(Command& command, ChainOptions& options, bool needs_kernel) {
  command.add(kLayerTitle,
              {{.names = "-k,--kernel",
                .value = "K",
                .target = &options.kernels,
                .brief = "file, name such as sobel, or JSON; repeat for a bank",
                .text = "The kernel. K is one of:\n\n"
                        "  edge.json           a kernel file ('convtool kernels --help' describes them)\n"
                        "  weights.npy         NumPy weights of rank 2, 3 or 4; of several arrays, weights.npz#NAME\n"
                        "  blur.mat            a kernel of another program, as 'convtool kernels convert' reads it\n"
                        "  sobel               a shipped kernel ('convtool kernels' lists them)\n"
                        "  gaussian:sigma=2    a generated kernel, with its parameters\n"
                        "  '[[1, -1]]'         JSON, in single quotes, or a kernel of ImageMagick\n\n"
                        "The format of a file is recognized by its content.\n\n"
                        "Several -k form a bank: all kernels read the same input, and their outputs are stacked as "
                        "channels, or combined with --combine. The layer options below override those of the kernel "
                        "file. They apply to all kernels of -k, wherever they stand before the first --then.",
                .words = {kernel_words},
                .takes_files = true,
                .required = needs_kernel,
                .if_missing = "no kernel given; add one, such as -k sobel ('convtool kernels' lists them)"},
               {.names = "--then",
                .value = "K",
                .target = &options.then,
                .brief = "a kernel that runs on the result; may be repeated",
                .text = "A kernel that runs on the result of those before it, named as for -k. May be repeated. Values "
                        "between the kernels are floats; they are mapped, rounded and clipped once, at the end. "
                        "Only the map of the last kernel counts.\n\n"
                        "Layer options that stand after a --then apply to its kernel: -k gaussian:sigma=2 --then "
                        "sobel --stride 2 blurs every pixel, and computes every other gradient.",
                .words = {kernel_words},
                .takes_files = true}});
  add_geometry(command, options);
  command.add(
      kLayerTitle,
      {{.names = "--bias",
        .value = "B",
        .target = &options.bias,
        .brief = "a number, or one per output channel: 0.5,1,2",
        .text = "A number added to every response, or one per output channel of each kernel, separated by commas.",
        .otherwise = "the kernel's, else 0"},
       {.names = "--divisor",
        .value = "D",
        .target = &options.divisor,
        .brief = "divide the sums by D",
        .text = "Divide every sum by D, before the bias is added. It has the effect of dividing every weight, but is "
                "rounded only once. It replaces the kernel's divisor and normalize.",
        .otherwise = "the kernel's, else 1"},
       {.names = "--normalize",
        .target = &options.normalize,
        .brief = "divide the sums by the sum of the weights",
        .text = "Divide every sum by the sum of the weights of its output channel, so that flat areas keep their "
                "value. It replaces the kernel's divisor, and is refused where the weights sum to 0."},
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
        .brief = "convolve: rotate the kernels by 180 degrees",
        .text =
            "Rotate every kernel by 180 degrees, which makes the operation a convolution in the mathematical sense. "
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
                .otherwise = "1"},
               {.names = "--layers",
                .value = "L",
                .target = &options.layers,
                .brief = "instead of a kernel: layers as text, JSON or a file",
                .text = layers_text(),
                .takes_files = true}});
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
    if (layer.rank != 2 && given != 1 && given != layer.output_channels()) {
      refuse_usage("--bias", "does not match the output channels of kernel '" + layer.name + "' (expected " +
                                 bias_sizes(layer.output_channels()) + ", got " + std::to_string(given) + ")");
    }
  }
  override_divisor(options, layer);
}

std::vector<std::string> ChainOptions::last_kernels() const { return values_of(then.empty() ? kernels : then); }

std::vector<std::string> ChainOptions::all_kernels() const {
  std::vector<std::string> all = values_of(kernels);
  for (const PlacedValue& next : then) all.push_back(next.value);
  return all;
}

LayerOptions options_of(const ChainOptions& options, std::size_t stage) {
  const auto stage_of = [&](const PlacedValue& value) {
    return static_cast<std::size_t>(std::count_if(options.then.begin(), options.then.end(),
                                                  [&](const PlacedValue& next) { return next.place < value.place; }));
  };
  LayerOptions own;
  for (const Field& field : kFields) {
    for (const PlacedValue& value : options.*field.given) {
      if (stage_of(value) != stage) continue;
      if (own.*field.value) refuse_usage(field.name, "is given more than once; keep one");
      own.*field.value = value.value;
    }
  }
  const auto exclude = [](const auto& one, const auto& other, const char* name, const char* other_name) {
    if (one && other) refuse_usage(name, "cannot be used together with " + std::string(other_name) + "; keep one");
  };
  exclude(own.pads, own.padding, "--pads", "--padding");
  exclude(own.normalize, own.divisor, "--normalize", "--divisor");
  return own;
}

namespace {

/// Overrides the options of the kernels of one stage.
void override_stage(const LayerOptions& options, Network& network) {
  const std::string given = first_override(options);
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

}  // namespace

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
  return network;
}

namespace {

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
  if (const std::string given = first_override(options_of(chain, 0)); !given.empty()) refuse(given);
  return load_layers(*size.layers);
}

}  // namespace

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
