// The page of learn --report.
#pragma once

#include <string>
#include <vector>

#include "cli/batch/page_file.h"
#include "cli/commands/learn/options.h"
#include "cli/commands/learn/training.h"
#include "learn/sample.h"
#include "report/learn_report.h"

namespace convtool {

/// Throws Error(usage) if the page cannot be written, or is one of the other files of the run.
void check_learn_page(const PageOptions& page, const LearnOptions& options);

/// The page as HTML. Runs the layer of `report` on the first samples once more, for pictures of what it gives and of
/// the residuals.
std::string learn_page(const PageOptions& page, const LearnReport& report, const Course& course,
                       const std::vector<Sample>& samples, int threads);

}  // namespace convtool
