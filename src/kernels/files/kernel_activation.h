// Internal to kernels/: the activation of a layer of a kernel file.
#pragma once

#include <string>
#include <string_view>

#include "kernels/files/kernel_values.h"
#include "network/layer.h"

namespace convtool {

/// Sets the activation of `layer` from "activation": a name, or an object with the name and its numbers, such as
/// {"clip": {"min": 0, "max": 6}}; none by default. "relu6" is read as that clip. Throws Error(kernel) as KernelObject
/// does.
void read_activation(const KernelObject& object, Layer& layer);

/// Advice for a word that other programs use for an activation: "; did you mean 'silu'?" for swish, or "; convtool does
/// not compute it" for one that convtool does not have. In any case; "" for other words.
std::string advice_on_activation(std::string_view word);

}  // namespace convtool
