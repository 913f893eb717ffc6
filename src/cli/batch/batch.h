// A run over all inputs: several at a time, reported in the order given.
#pragma once

#include "cli/batch/batch_options.h"
#include "cli/job/filter_spec.h"

namespace convtool {

/// Filters all inputs, prints a report on each and, for several, a summary on standard error. Returns kExitDone or
/// kExitFailed. Throws Error(usage) before any work if inputs or outputs are wrong.
int run_batch(const BatchOptions& options, const FilterSpec& spec);

}  // namespace convtool
