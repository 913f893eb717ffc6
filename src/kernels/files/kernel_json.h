// Reads kernel files in convtool's JSON.
#pragma once

#include <string>
#include <string_view>

#include "network/layer.h"

namespace convtool {

/// Reads a kernel in JSON: weights alone, a layer, a pool, a bank or a network (kernels/kernel.schema.json). Paths of
/// weights (kernels/files/weight_file.h) are relative to `folder`, "" for the current one. Errors name `source`, a file
/// or an option; a kernel without a name gets `default_name`. Throws Error(kernel): with line and column for text that
/// is not JSON, and a hint at common mistakes; with a JSON pointer for JSON that is not a kernel.
Network parse_kernel_json(std::string_view text, const std::string& source, const std::string& default_name,
                          const std::string& folder = "");

}  // namespace convtool
