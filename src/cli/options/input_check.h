// Common slips among the inputs, found before any work.
#pragma once

#include <string>
#include <vector>

#include "cli/options/run_options.h"

namespace convtool {

/// Throws Error(usage) for an input that is not a file but looks like something else: the name or a parameter of a
/// kernel, JSON that the shell has split, the output, a glob without a match. `kernel_option`, "-k", "--then" or
/// "--operator", takes the names of kernels; `kernels` are those given. Other missing inputs are left to their turn in
/// the run.
void check_inputs(const RunOptions& options, const std::string& kernel_option, const std::vector<std::string>& kernels);

}  // namespace convtool
