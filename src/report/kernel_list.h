// The list of `kernels list --json`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernels/generator.h"
#include "network/layer.h"

namespace convtool {

/// One JSON object with the names, descriptions and sizes of `shipped`, and the parameters of `generated`.
std::string kernel_list_json(const std::vector<Network>& shipped, std::span<const Generator> generated);

}  // namespace convtool
