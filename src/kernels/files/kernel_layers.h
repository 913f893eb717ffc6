// Internal to kernels/: the layers of a kernel file that are not convolutions.
#pragma once

#include <string>

#include "kernels/files/kernel_values.h"
#include "kernels/files/kernel_weights.h"
#include "network/layer.h"

namespace convtool {

/// Whether the object has a key that only such layers have: "pool", "batch_norm", "upsample" or "add".
bool is_special_layer(const KernelObject& object);

/// Reads a pool, batch normalisation, upsampling or a sum. `weights` reads the numbers of batch normalisation, and
/// counts those of means. `outermost` as for check_keys(). Throws Error(kernel) as KernelObject does.
Layer read_special_layer(const KernelObject& object, const std::string& default_name, bool outermost,
                         KernelWeights& weights);

/// Sets the output padding of a transposed convolution, and checks the options that it has in common with others.
void read_transposed_options(const KernelObject& object, Layer& layer);

}  // namespace convtool
