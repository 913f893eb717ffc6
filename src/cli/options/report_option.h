// --report of apply, edges, learn and shape.
#pragma once

#include <optional>
#include <string>

#include "cli/batch/page_file.h"
#include "cli/options/command_line.h"

namespace convtool {

/// The row of --report. `text` says what the page shows.
Option report_option(std::optional<std::string>& path, std::string_view text);

/// The page of --report, if it is given, for `command`, which is parsed. Throws Error(usage) for a name that is not an
/// HTML file's.
std::optional<PageOptions> page_options(const std::optional<std::string>& path, const Command& command);

}  // namespace convtool
