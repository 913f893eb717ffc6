// Internal to kernels/: which keys the objects of a kernel file may have, and the names that other programs give them.
#pragma once

#include <nlohmann/json.hpp>

#include "kernels/files/kernel_values.h"

namespace convtool {

/// `outline` and `linear`: layers without weights.
enum class KernelPart { layer, outline, linear, pool, batch_norm, upsampling, sum, activation, bank, network };

/// Throws Error(kernel) for a key that `part` does not have, and suggests the nearest. Only the outermost object may
/// have "map", which turns the final responses into picture values, and "input", which scales the pixels.
void check_keys(const KernelObject& object, KernelPart part, bool outermost);

/// A copy of `layer` with our names for "weights", "kernel" and the attributes of ONNX's Conv; auto_pad becomes
/// padding. Throws Error(kernel) where two keys mean the same.
nlohmann::json without_aliases(const KernelObject& layer);

}  // namespace convtool
