// The contents of a kernel file: a layer, a bank of layers on the same input, a network of banks one after another.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conv/epilogue.h"
#include "conv/output_map.h"
#include "conv/problem.h"

namespace convtool {

/// The result of a pooling layer for each window of a channel: the largest value, as in nn.MaxPool2d, or the mean, as
/// in nn.AvgPool2d.
enum class Pooling { none, max, mean };
inline constexpr std::string_view kPoolings[] = {"none", "max", "mean"};

/// Options of the pools of torch.nn.
struct PoolRules {
  bool is_global = false;      ///< the window is the whole input
  bool ceil_mode = false;      ///< the size of the output is rounded up, so that the last window may reach beyond it
  bool counts_padding = true;  ///< a mean divides by the pixels of the window, else by those in the input

  constexpr bool operator==(const PoolRules&) const = default;
};

/// Layers whose output has `stride` times the height and width of the input, about: nn.Upsample in its two modes, and
/// nn.ConvTranspose2d. network/enlarging.h makes convolutions of them.
enum class Enlarging { none, nearest, bilinear, transposed };
inline constexpr std::string_view kEnlargings[] = {"none", "nearest", "bilinear", "transposed"};

constexpr bool is_upsampling(Enlarging enlarging) {
  return enlarging == Enlarging::nearest || enlarging == Enlarging::bilinear;
}

/// The words for Padding::Rule, in its order: in kernel files, options and reports.
inline constexpr std::string_view kPaddingRules[] = {"valid", "same", "same_lower", "full"};

/// The name that means the input of the network, after its scaling, where layers add or read it.
inline constexpr std::string_view kInputName = "input";

/// What a layer without weights stands for, which has sizes but no numbers: `kernel` for a convolution or a linear
/// layer, `batch_norm` for a factor and an offset per channel, `activation` for neither. network/outline.h says how
/// such a layer fits its input.
enum class Outline { none, kernel, batch_norm, activation };

/// The channels that a plane of weights, [kh][kw], is for.
struct PlaneChannels {
  std::int64_t input = 0, output = 0;
};

/// A kernel with its options. `rank` is the rank of the weights as the user wrote them:
///   2 [kh][kw]                       each channel of the input is filtered separately
///   3 [c_i][kh][kw]                  all input channels are summed into one
///   4 [c_o][c_i/groups][kh][kw]      nn.Conv2d
///     [c_i][c_o/groups][kh][kw]      nn.ConvTranspose2d: `shape` is that of the convolution that it transposes
struct Layer {
  std::string name;
  std::string description;
  int rank = 2;
  KernelShape shape;            ///< rank 2: c_o = c_i_per_group = 1; rank 3: c_o = 1
  std::vector<float> weights;   ///< shape.count() of them, row-major; see is_window_pool() and Enlarging
  std::vector<float> bias;      ///< empty for 0; one number for all output channels; or one per output channel
  std::vector<double> divisor;  ///< of the sums: empty for 1; one number for all output channels; or one per channel
  ConvParams params;            ///< groups is 1 unless rank is 4
  Activation activation = Activation::none;
  ActivationNumbers activation_numbers{};
  Pooling pooling = Pooling::none;
  Outline outline = Outline::none;  ///< none: the layer has weights, or needs none
  PoolRules pool{};
  Enlarging enlarging = Enlarging::none;  ///< upsampling has rank 2, a 1x1 shape and no weights
  Extent output_padding{0, 0};            ///< transposed: rows and columns added at the end, less than the stride
  std::string add;             ///< the earlier layer whose output is added to the input of this one; empty for none
  std::string from;            ///< the earlier layer whose output it reads; empty for the one before it
  bool is_batch_norm = false;  ///< a factor and an offset for each channel: a 1x1 depthwise convolution

  bool is_max_pool() const { return pooling == Pooling::max; }

  /// Whether the layer is a pool that is not computed as a kernel, and has no weights: a max pool, or a mean of windows
  /// that differ in size. Any other mean is a rank-2 kernel of ones with their number as divisor.
  bool is_window_pool() const {
    return is_max_pool() || (pooling == Pooling::mean && weights.empty() && outline == Outline::none);
  }

  /// Whether the layer has weights of its own: a convolution, transposed or not, or batch normalisation.
  bool is_kernel() const {
    return pooling == Pooling::none && add.empty() &&
           (enlarging == Enlarging::none || enlarging == Enlarging::transposed);
  }

  /// Whether the layer keeps each value but for its activation: "relu" of a text, {"activation": "relu"} of a file.
  bool is_activation() const;

  /// What the layer is where it is not a convolution, for messages: "max pool", "sum", "batch normalisation"; else "".
  std::string kind_text() const;

  /// The size of its window, for tables: "3x3", "max 2x2", "mean global", "nearest 2x2", "add NAME", "border"; "" of a
  /// layer that has none, such as an activation or a copy of its input.
  std::string size_text() const;

  /// Of a layer of rank 4.
  std::int64_t input_channels() const {
    return enlarging == Enlarging::transposed ? shape.c_o : shape.c_i_per_group * params.groups;
  }
  std::int64_t output_channels() const {
    return enlarging == Enlarging::transposed ? shape.c_i_per_group * params.groups : shape.c_o;
  }

  /// Of plane `k` of the weights, of which there are shape.c_o * shape.c_i_per_group.
  PlaneChannels channels_of_plane(std::int64_t k) const;

  /// Whether the activation makes something else of 0, so that flat areas do not become 0 by the weights alone.
  bool moves_zero() const { return activated(activation, activation_numbers, 0) != 0; }

  /// The sizes as the user wrote them: {kh, kw}, {c_i, kh, kw} or {c_o, c_i/groups, kh, kw}.
  std::vector<std::int64_t> dimensions() const;

  bool operator==(const Layer&) const = default;
};

/// Layers on the same input. Their outputs are stacked, layer by layer, or combined channel by channel.
struct Bank {
  std::string name;
  std::string description;
  std::vector<Layer> layers;  ///< at least one; a pool is alone; if combined, equal in shape, params and activation
  Combine combine = Combine::none;
  std::optional<OutputMap> map;  ///< empty unless the kernel file names one

  bool operator==(const Bank&) const = default;
};

/// The order of the colours that a network reads.
enum class ChannelOrder { rgb, bgr };
inline constexpr std::string_view kChannelOrders[] = {"rgb", "bgr"};

/// How pixels become the numbers that a network was trained on: (x * scale - mean) / std. It comes before the first
/// layer and its padding. network/input_scaling.h makes a layer of it.
struct InputScaling {
  double scale = 1;               ///< not 0
  std::vector<double> mean;       ///< empty for 0; one number for all channels; or one per channel of the picture
  std::vector<double> deviation;  ///< std: empty for 1; likewise, each above 0
  ChannelOrder order = ChannelOrder::rgb;  ///< bgr: channels 0 and 2 of the scaled picture are swapped

  bool operator==(const InputScaling&) const = default;
};

/// Banks one after another, float in between. Kernel files call the banks of a network its layers.
struct Network {
  std::string name;
  std::string description;
  std::vector<Bank> banks;         ///< at least one
  std::vector<std::string> files;  ///< files of weights that were read, without the kernel file itself
  std::optional<InputScaling> input;

  bool operator==(const Network&) const = default;
};

/// Throws Error(kernel) unless all layers have the same stride, those of a combined bank also the same shape, params
/// and activation, and a pool is the only layer.
void check_bank(const Bank& bank);

/// The sum of `count` weights, or 0 where rounding alone can explain the difference from 0: rounding weights to float
/// moves their sum by at most 2^-24 * sum|w|, and adding n of them in double by n * 2^-53 * sum|w|.
double sum_of_weights(const float* weights, std::int64_t count);

/// sum_of_weights() of each output channel of a layer that has weights: its divisors with "normalize".
std::vector<double> sums_of_weights(const Layer& layer);

/// Whether the weights of a layer, over its divisors, are within float32.
bool fits_float_divided(const Layer& layer);

/// Whether the layer has weights and sum_of_weights() is 0 for every output channel, which its activation keeps. Such a
/// kernel responds only to changes, and with 0 to flat areas.
bool sums_to_zero(const Layer& layer);

/// Whether the layer has weights that sum to 0 for every output channel, or nearly: to at most 1/64 of the sum of their
/// absolute values and, over the divisor, to at most 1/64, so that flat areas become nearly black. Gabor's kernels do.
bool is_difference(const Layer& layer);

/// The power of two by which auto multiplies the absolute responses of differences (is_difference()), since some would
/// be nearly black. The largest possible response to an edge or a corner, as a share of the full range, decides: from
/// 1/2 on, the share of [[-0.5, 0, 0.5]], the gain is 1. Smaller responses, as of small weights and of Gabor's kernels,
/// are doubled until half the sum of the absolute weights over the divisor, which is the largest possible response to
/// any picture, is at least 4, as for Sobel's kernels. The output channel with the largest share counts. The picture
/// does not affect the gain. 1 for a bank with a bias.
double visible_gain(const Bank& bank);

/// Resolves `asked` for the banks of a network and this output type. `automatic` becomes `abs` for integer results when
/// in the last bank nothing is combined and every layer is a difference, with the gain of visible_gain() if it is the
/// only bank; and `clip` otherwise, which leaves float results as they are.
Mapping resolve_map(OutputMap asked, std::span<const Bank> banks, DType output_dtype);

}  // namespace convtool
