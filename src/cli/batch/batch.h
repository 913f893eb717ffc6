// All inputs of a run, some at a time, each with its report in the order of the inputs.
#pragma once

#include <string>
#include <vector>

#include "cli/options/run_options.h"

namespace convtool {

/// Filters every input of `options`, as many at a time as there are jobs, and prints a report for each and, of several,
/// a summary on standard error; returns kExitDone or kExitFailed. `kernel_files`
/// are what the run reads besides. Throws Error(usage) for what is wrong with the outputs, before any work.
int run_batch(const RunOptions& options, const FilterOptions& filter, const std::vector<std::string>& kernel_files);

}  // namespace convtool
