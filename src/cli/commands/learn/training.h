// From samples to parameters, by the chosen method.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/commands/learn/options.h"
#include "learn/parameters.h"
#include "learn/sample.h"
#include "report/learn_report.h"
#include "show/report_page.h"

namespace convtool {

/// What a page shows of the way from samples to parameters.
struct Course {
  std::optional<Parameters> start;  ///< of gradient descent
  PageCurve curve;                  ///< at most about kMostPoints epochs, evenly spread
};
inline constexpr std::int64_t kMostPoints = 1000;

/// Learns by the method of `plan`, prints epochs and warnings as they come, and fills in the method's fields of the
/// report, and `course`. `plan.layer` lacks only its weights. Throws Error(shape) when nothing can be learned or a run
/// diverges.
Parameters learn_parameters(const std::vector<Sample>& samples, const LearnOptions& options, LearnPlan& plan,
                            LearnReport& report, Course& course);

}  // namespace convtool
