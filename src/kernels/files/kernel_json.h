// Reads kernel files in convtool's JSON.
#pragma once

#include <string>
#include <string_view>

#include "kernels/files/weight_file.h"
#include "network/layer.h"

namespace convtool {

/// Reads a kernel in JSON: weights alone, a layer, a pool, a bank or a network (kernels/kernel.schema.json). Weights
/// that are the name of a file are read by `read_file`, by default from files relative to the current folder. Errors
/// name `source`, a file or an option; a kernel without a name gets `default_name`. Throws Error(kernel): with line and
/// column for text that is not JSON, and a hint at common mistakes; with a JSON pointer for JSON that is not a kernel.
Network parse_kernel_json(std::string_view text, const std::string& source, const std::string& default_name,
                          const WeightReader& read_file = weight_files_in(""));

}  // namespace convtool
