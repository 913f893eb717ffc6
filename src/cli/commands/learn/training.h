// From samples to parameters, by the chosen method.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/learn/options.h"
#include "learn/parameters.h"
#include "learn/sample.h"
#include "report/learn_report.h"

namespace convtool {

/// Learns by the method of `plan`, prints epochs and warnings as they come, and fills in the method's fields of the
/// report. `plan.layer` lacks only its weights. Throws Error(shape) when nothing can be learned or a run diverges.
Parameters learn_parameters(const std::vector<Sample>& samples, const LearnOptions& options, LearnPlan& plan,
                            LearnReport& report);

}  // namespace convtool
