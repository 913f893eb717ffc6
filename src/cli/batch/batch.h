// A run over all inputs: several at a time, reported in the order given.
#pragma once

#include "cli/batch/batch_options.h"
#include "cli/job/filter_spec.h"

namespace convtool {

/// Filters all inputs, prints a report on each and, for several, a summary on standard error. Returns kExitDone or
/// kExitFailed. Throws Error(usage) before any work if inputs or outputs are wrong. A report page is written at the
/// end, also after failures and after an interruption between two inputs. Throws Error(output) if that fails.
int run_batch(const BatchOptions& options, FilterSpec spec);

}  // namespace convtool
