#include "cli/batch/reporter.h"

#include <unistd.h>

#include <utility>

#include "core/printable.h"
#include "core/text.h"

namespace convtool {
namespace {

/// "FILE: message". Errors of reading and writing name their file already.
std::string error_text(const RunReport& report) {
  const auto begins_with = [&](const std::string& file) {
    return report.error_message.starts_with(printable(file) + ": ");
  };
  const bool named =
      report.input.empty() || begins_with(report.input) || (!report.output.empty() && begins_with(report.output));
  return (named ? "" : report.input + ": ") + report.error_message;
}

}  // namespace

Reporter::Reporter(const BatchOptions& options, std::size_t count, bool to_stderr)
    : options_(options), to_stderr_(to_stderr), progress_(options.progress, count), reports_(count) {}

void Reporter::add(std::size_t index, RunReport report) {
  std::lock_guard lock(mutex_);
  reports_[index] = std::move(report);
  while (next_ < reports_.size() && reports_[next_]) {
    const RunReport ready = std::move(*reports_[next_]);
    reports_[next_++].reset();  // first, since printing may throw
    print_report(ready);
  }
}

void Reporter::finish() {
  for (const auto& report : reports_)
    if (report) print_report(*report);
  progress_.erase();
}

long long Reporter::not_begun() const {
  return static_cast<long long>(reports_.size()) - counts_[0] - counts_[1] - counts_[2];
}

std::string Reporter::summary(double seconds) const {
  const std::string speed = "; " + fixed_text(pixels_ / 1e6, 1) + " megapixels in " + fixed_text(seconds, 2) + " s, " +
                            fixed_text(pixels_ / 1e6 / seconds, 1) + " MP/s";
  return std::to_string(counts_[0]) + " done, " + std::to_string(counts_[1]) + " skipped, " +
         std::to_string(counts_[2]) + " failed" +
         (not_begun() > 0 ? ", " + std::to_string(not_begun()) + " not started" : "") + speed;
}

void Reporter::print_report(const RunReport& report) {
  const bool failed = report.status == RunReport::Status::error, done = report.status == RunReport::Status::ok;
  ++counts_[static_cast<int>(report.status)];
  const Shape& shape = report.input_shape;
  const double pixels = done ? static_cast<double>(shape.n * shape.h * shape.w) : 0;
  pixels_ += pixels;

  const bool on_terminal = to_stderr_ || ::isatty(STDOUT_FILENO) == 1;
  if (failed || !report.warnings.empty() || (on_terminal && !options_.quiet)) progress_.erase();
  if (!options_.quiet) print_warnings(report);
  if (failed) print_message(MessageKind::error, error_text(report));
  const auto out = to_stderr_ ? print_error : print;
  if (options_.json)
    out(to_json(report) + "\n");
  else if (!failed && !options_.quiet)
    out(to_text(report, options_.verbose) + "\n");
  progress_.add(pixels);
}

void Reporter::print_warnings(const RunReport& report) {
  const char* once = reports_.size() > 1 ? " (not repeated for other files)" : "";
  for (const Remark& warning : report.warnings)
    if (!warning.once || warned_.insert(warning.topic.empty() ? warning.text : warning.topic).second)
      print_message(MessageKind::warning, report.input + ": " + warning.text + (warning.once ? once : ""));
}

}  // namespace convtool
