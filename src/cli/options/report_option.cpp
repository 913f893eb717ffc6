#include "cli/options/report_option.h"

#include "cli/batch/folders.h"
#include "core/text.h"

namespace convtool {

Option report_option(std::optional<std::string>& path, std::string_view text) {
  return {.names = "--report",
          .value = "FILE.html",
          .target = &path,
          .brief = "also write a report as a page for the browser",
          .text = text,
          .affects_result = false};
}

std::optional<PageOptions> page_options(const std::optional<std::string>& path, const Command& command) {
  if (!path) return std::nullopt;
  if (*path == "-") refuse_usage("--report", "a page is not written to standard output; name a file: report.html");
  if (!has_extension(*path, ".html") && !has_extension(*path, ".htm"))
    refuse_usage("--report", "'" + *path + "' is not the name of a page (expected FILE.html)");
  PageOptions page{.path = *path, .settled = settled_path(*path), .head = {.command = command.path(), .options = {}}};
  for (const Option* option : command.options())
    if (const auto at = command.given.find(option->name()); at != command.given.end()) page.head.options.insert(*at);
  return page;
}

}  // namespace convtool
