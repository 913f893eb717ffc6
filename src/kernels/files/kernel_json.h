// Kernel files: JSON text to layers, banks and networks.
#pragma once

#include <string>
#include <string_view>

#include "network/layer.h"

namespace convtool {

/// Reads a kernel in JSON: a bare matrix or block of weights, a layer, a pool, a bank or a network
/// (kernels/kernel.schema.json). Files of weights that it names (kernels/files/weight_file.h) are relative to `folder`,
/// "" being the current one. `source` is the file or option named in errors; `default_name` is the name of a kernel
/// that gives none itself. Throws Error(kernel) with line and column for what is not JSON, with a JSON pointer for what
/// is not a kernel.
Network parse_kernel_json(std::string_view text, const std::string& source, const std::string& default_name,
                          const std::string& folder = "");

}  // namespace convtool
