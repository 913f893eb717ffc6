// The options of a run, checked and converted to numbers.
#pragma once

#include <string>
#include <vector>

#include "cli/batch/batch_options.h"
#include "cli/job/filter_spec.h"
#include "cli/options/run_options.h"

namespace convtool {

/// The filter for each input, without its network, which the command adds. Throws Error(usage).
FilterSpec resolve_filter(const RunOptions& options);

/// The options of the batch that applies `spec`, whose kernels were read from `kernel_files`. Throws Error(usage).
BatchOptions resolve_batch(const RunOptions& options, const FilterSpec& spec,
                           const std::vector<std::string>& kernel_files);

}  // namespace convtool
