#include "cli/options/layer_options.h"

#include <algorithm>
#include <type_traits>

#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "conv/epilogue.h"
#include "conv/padding.h"
#include "core/text.h"

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

std::vector<std::string> values_of(const PlacedValues& placed) {
  std::vector<std::string> values;
  for (const PlacedValue& value : placed) values.push_back(value.value);
  return values;
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

std::string LayerOptions::first() const {
  for (const Field& field : kFields)
    if (this->*field.value) return field.name;
  return "";
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

}  // namespace convtool
