#include "cli/batch.h"

#include <new>
#include <set>

#include "cli/app.h"
#include "cli/print.h"
#include "core/text.h"

namespace convtool {
namespace {

/// Filters one input; what goes wrong with it ends in the report.
RunReport run_one(const std::string& input, const Destination& destination, const std::vector<std::string>& sources,
                  const FilterOptions& filter) {
  RunReport report{.input = input, .output = destination.path};
  const auto failed = [&](ErrorKind kind, const std::string& message) {
    report.status = RunReport::Status::error;
    report.error_kind = kind;
    report.error_message = message;
  };
  try {
    filter_file(input, destination, sources, filter, report);
  } catch (const Error& error) {
    failed(error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    failed(ErrorKind::memory, "not enough memory");
  } catch (const std::exception& error) {
    failed(ErrorKind::internal, error.what());
  }
  return report;
}

/// "FILE: message", once: errors of reading and writing name their file already.
std::string error_line(const RunReport& report) {
  const bool named = report.input.empty() || report.error_message.starts_with(report.input + ": ") ||
                     (!report.output.empty() && report.error_message.starts_with(report.output + ": "));
  return "convtool: " + printable((named ? "" : report.input + ": ") + report.error_message) + "\n";
}

/// Prints what of an input does not come through; what is enough to be told once, once.
void warn(const RunReport& report, std::set<std::string>& told) {
  for (const Remark& warning : report.warnings)
    if (!warning.once || told.insert(warning.text).second)
      print_error("convtool: warning: " + printable(report.input + ": " + warning.text) +
                  (warning.once ? " (not told again for other files)" : "") + "\n");
}

}  // namespace

int run_batch(const RunOptions& options, const FilterOptions& filter, const std::vector<std::string>& kernel_files) {
  std::vector<std::string> sources = options.inputs;  // what the run reads: no output may be one of them
  sources.insert(sources.end(), kernel_files.begin(), kernel_files.end());
  const std::vector<Destination> destinations =
      plan_destinations(options.inputs, sources, options.destination, filter.network.name);
  bool any_failed = false;
  std::set<std::string> told;
  for (std::size_t i = 0; i < options.inputs.size(); ++i) {
    const RunReport report = run_one(options.inputs[i], destinations[i], sources, filter);
    const bool failed = report.status == RunReport::Status::error;
    const auto tell = destinations[i].path == "-" ? print_error : print;
    if (!options.quiet) warn(report, told);
    if (failed) print_error(error_line(report));
    if (options.json)
      tell(to_json(report) + "\n");
    else if (!failed && !options.quiet)
      tell(to_text(report, options.verbose) + "\n");
    any_failed = any_failed || failed;
    if (failed && options.fail_fast) break;
  }
  return any_failed ? kExitFailed : kExitDone;
}

}  // namespace convtool
