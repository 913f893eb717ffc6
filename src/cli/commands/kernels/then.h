// --then of `convtool kernels show` and `convert`.
#pragma once

#include <string>
#include <vector>

#include "cli/options/command_line.h"
#include "network/layer.h"

namespace convtool {

Option then_option(std::vector<std::string>& then);

/// The chain of `first` and the kernels of --then. Throws Error(kernel) for one that cannot be loaded, or takes another
/// number of channels than the one before it gives.
Network chain_after(Network first, const std::vector<std::string>& then);

}  // namespace convtool
