// Learning itself: from samples to parameters, and from these to the layer of the report.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/learn/options.h"
#include "learn/parameters.h"
#include "learn/sample.h"
#include "report/learn_report.h"

namespace convtool {

/// Learns by the method of `plan`, prints epochs and warnings as they come, and fills in what the report says of the
/// method. `plan.layer` is complete but for its weights. Throws Error(shape) where nothing can be learned or a run
/// diverges.
Parameters learn_parameters(const std::vector<Sample>& samples, const LearnOptions& options, LearnPlan& plan,
                            LearnReport& report);

/// Puts the parameters into `report.layer`, rounded where --round asks for it and they fit as well, and describes the
/// fit. Throws Error(shape) for parameters beyond float32.
void fill_layer(const std::vector<Sample>& samples, Parameters parameters, const LearnOptions& options,
                const LearnPlan& plan, LearnReport& report);

}  // namespace convtool
