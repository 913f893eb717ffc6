// Internal to kernels/: the layers of a kernel file that are not convolutions.
#pragma once

#include <string>

#include "kernels/files/kernel_values.h"
#include "kernels/files/kernel_weights.h"
#include "kernels/files/weight_file.h"
#include "network/layer.h"

namespace convtool {

/// Whether the object has a key that only such layers have ("pool", "batch_norm", "upsample", "add" or "linear"), or an
/// activation and nothing to compute before it.
bool is_special_layer(const KernelObject& object);

/// Reads a pool, batch normalisation, upsampling, a sum, an activation or, where weights are not needed, a linear
/// layer. `weights` reads the numbers of batch normalisation, which may lack where they are not needed, and counts
/// those of means. `outermost` as for check_keys(). Throws Error(kernel) as KernelObject does.
Layer read_special_layer(const KernelObject& object, const std::string& default_name, bool outermost,
                         KernelWeights& weights, Weights needed);

/// Throws Error(kernel) for a layer without weights where they are needed.
[[noreturn]] void refuse_without_weights(const KernelObject& object);

/// Sets the output padding of a transposed convolution, and checks the options that it has in common with others.
void read_transposed_options(const KernelObject& object, Layer& layer);

}  // namespace convtool
