// Reads kernel files in convtool's JSON.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "kernels/files/weight_file.h"
#include "network/layer.h"

namespace convtool {

/// Returns the kernel that a name such as "sobel" or "gaussian:sigma=2" stands for, one bank, or throws Error(kernel).
using KernelByName = std::function<Network(const std::string& name)>;

/// Reads a kernel in JSON: weights alone, a layer, a pool, a bank or a network (kernels/kernel.schema.json); a list
/// with objects or strings is the list of the layers of a network. Weights that are the name of a file are read by
/// `read_file`, by default from files relative to the current folder; a string in place of a kernel in a bank or
/// network is looked up by `by_name`, and refused without it, unless in a network it is a layer in the words of
/// layer_text.h. Errors name `source`, a file or an option; a kernel without a name gets `default_name`. Throws
/// Error(kernel): with line and column for text that is not JSON, and a hint at common mistakes; with a JSON pointer
/// for JSON that is not a kernel.
Network parse_kernel_json(std::string_view text, const std::string& source, const std::string& default_name,
                          const WeightReader& read_file = weight_files_in(""), const KernelByName& by_name = {},
                          Weights weights = Weights::required);

}  // namespace convtool
