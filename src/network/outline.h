// Layers without weights, which have shapes and costs but compute nothing.
#pragma once

#include "network/layer.h"

namespace convtool {

/// `bank` for an input of this shape. In layers without weights, a size of 0 is taken from the input:
///   c_i_per_group  always: the input's channels over the groups
///   c_o, groups    the input's channels
///   kh, kw         the input's height and width
/// and a transposed convolution, whose shape is that of the convolution that it transposes, takes c_o from the input in
/// place of c_i_per_group. Other layers are as they were. Throws Error(shape) where groups do not divide the channels
/// of the input.
Bank fitted(Bank bank, const Shape& input);

/// nn.BatchNorm2d without its numbers.
Layer batch_norm_outline();

/// nn.Linear on all values of its input, without its weights.
Layer linear_outline(std::int64_t outputs, bool has_bias);

/// Throws Error(kernel) for a layer without weights.
void check_has_weights(const Network& network);

/// Weights and biases that are learned: a rank-2 kernel counts once for all channels; pools, upsampling, sums and
/// activations have none. `bank` is fitted.
std::int64_t parameter_count(const Bank& bank);

/// Multiply-adds of `bank`, which is fitted, whose layers have these problems: those of convolutions (mac_count()). As
/// usual, pools, upsampling, sums, activations and batch normalisation count as 0.
double mac_count(const Bank& bank, const std::vector<ConvProblem>& problems);

}  // namespace convtool
