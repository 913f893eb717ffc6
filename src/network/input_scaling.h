// The scaling of a network's input: what may be wrong with it, and the layer that computes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "network/layer.h"

namespace convtool {

/// A member of InputScaling that is not valid, and what is wrong with it.
struct ScalingFlaw {
  std::string member, text;
};

/// A scale as people write it: "0.5", or a fraction such as "1/255". Nothing for other text, 0 and numbers that are not
/// finite.
std::optional<double> parse_scale(std::string_view text);

/// Nothing if `scaling` is valid: a scale other than 0, each std above 0, one number or one per channel, and for bgr
/// three channels or four.
std::optional<ScalingFlaw> find_flaw(const InputScaling& scaling);

/// Throws Error(shape) where a picture of `channels` has not those that `scaling` names.
void check_input_channels(const InputScaling& scaling, std::int64_t channels);

/// `network`, whose scaling is valid, with the scaling as its first bank, called kInputName, a 1x1 convolution: x
/// is divided by std/scale, and -mean/std added. It replaces the copy of the input that a layer names
/// (network/residual.h). Without a scaling, `network` as it is. Throws Error(kernel) where mean,
/// std or order need another number of channels than the first layer takes.
Network with_scaling_as_layer(Network network);

/// The first bank of a network that with_scaling_as_layer() gave, for pictures of one channel: it scales that channel
/// as it would three equal ones, and gives all three. Nothing where the layer after it does not take three channels.
std::optional<Bank> scaling_of_grey(const Network& network);

}  // namespace convtool
