// What kernel files describe: a layer, a bank of layers side by side, a network of banks one after another.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conv/epilogue.h"
#include "conv/output_map.h"
#include "conv/problem.h"

namespace convtool {

/// Of a pooling layer, what becomes of each window of a channel: its largest value, as nn.MaxPool2d, or its mean, as
/// nn.AvgPool2d. A mean is the kernel of rank 2 whose weights are 1, and whose divisor is their number; a largest value
/// has no weights.
enum class Pooling { none, max, mean };
inline constexpr std::string_view kPoolings[] = {"none", "max", "mean"};

/// The words for Padding::Rule, in its order: in kernel files, options and reports.
inline constexpr std::string_view kPaddingRules[] = {"valid", "same", "same_lower", "full"};

/// A kernel with its options. `rank` is that of the weights as the user wrote them:
///   2 [kh][kw]                       every channel of the input is filtered alone
///   3 [c_i][kh][kw]                  all input channels are summed into one
///   4 [c_o][c_i/groups][kh][kw]      nn.Conv2d
struct Layer {
  std::string name;
  std::string description;
  int rank = 2;
  KernelShape shape;            ///< rank 2: c_o = c_i_per_group = 1; rank 3: c_o = 1
  std::vector<float> weights;   ///< shape.count() of them, row-major; none of a max pool
  std::vector<float> bias;      ///< empty: 0; one number: every output channel; else one per output channel
  std::vector<double> divisor;  ///< of the sums: empty: 1; one number: every output channel; or one per output channel
  ConvParams params;            ///< groups is 1 unless rank is 4
  Activation activation = Activation::none;
  Pooling pooling = Pooling::none;

  bool is_max_pool() const { return pooling == Pooling::max; }

  /// The sizes as the user wrote them: {kh, kw}, {c_i, kh, kw} or {c_o, c_i/groups, kh, kw}.
  std::vector<std::int64_t> dimensions() const;
};

/// Layers on the same input. Their outputs are stacked, layer by layer, or joined channel by channel.
struct Bank {
  std::string name;
  std::string description;
  std::vector<Layer> layers;  ///< at least one; alike in shape, params and activation when combined; or one that pools
  Combine combine = Combine::none;
  std::optional<OutputMap> map;  ///< what the kernel file asks for, if it does
};

/// Banks one after another, float in between. Kernel files call the banks of a network its layers.
struct Network {
  std::string name;
  std::string description;
  std::vector<Bank> banks;         ///< at least one
  std::vector<std::string> files;  ///< that weights were read from, besides the kernel file itself
};

/// Throws Error(kernel) unless the layers are alike in stride, and those of a combined bank also in shape, params and
/// activation, and a layer that pools is alone.
void check_bank(const Bank& bank);

/// The sum of `count` weights, or 0 where it is 0 as far as float can tell: rounding weights to float moves their sum
/// by 2^-24 * sum|w| at most, and adding n of them up in double by n * 2^-53 * sum|w|.
double sum_of_weights(const float* weights, std::int64_t count);

/// True when there are weights, and those of every output channel sum to zero, as far as float can tell: such a kernel
/// answers changes only, and flat areas with 0.
bool sums_to_zero(const Layer& layer);

/// The map that `asked` comes to for `bank`: `automatic` becomes `abs` when nothing is combined and every layer sums to
/// zero, else `clip`; for float results, `clip`, which leaves them as they are.
OutputMap resolve_map(OutputMap asked, const Bank& bank, DType output_dtype);

}  // namespace convtool
