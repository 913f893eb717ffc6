// All inputs of a run, one after another, each with its report.
#pragma once

#include <string>
#include <vector>

#include "cli/run_options.h"

namespace convtool {

/// Filters every input of `options` and prints a report for each, and returns kExitDone or kExitFailed. `kernel_files`
/// are what the run reads besides. Throws Error(usage) for what is wrong with the outputs, before any work.
int run_batch(const RunOptions& options, const FilterOptions& filter, const std::vector<std::string>& kernel_files);

}  // namespace convtool
