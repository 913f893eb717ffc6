// From learned parameters to the layer that is written, and how well it fits.
#pragma once

#include <vector>

#include "cli/commands/learn/options.h"
#include "learn/parameters.h"
#include "learn/sample.h"
#include "report/learn_report.h"

namespace convtool {

/// Puts the parameters into `report.layer`, rounded if --round is given and they fit as well, and describes the fit.
/// Throws Error(shape) for parameters beyond float32.
void fill_layer(const std::vector<Sample>& samples, Parameters parameters, const LearnOptions& options,
                const LearnPlan& plan, LearnReport& report);

}  // namespace convtool
