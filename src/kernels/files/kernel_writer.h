// Layers, banks and networks to kernel files.
#pragma once

#include <string>

#include "network/layer.h"

namespace convtool {

/// `network` as a kernel file in JSON (kernels/kernel.schema.json), for people to read too: options only where they
/// differ from their defaults, a line for each row of weights. parse_kernel_json() makes the same network of it:
/// numbers are the shortest that read back the same. Several divisors are "normalize", the sums of the weights, which
/// is where they come from. Ends in a newline.
std::string format_kernel_json(const Network& network);

}  // namespace convtool
