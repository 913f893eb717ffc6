#include "cli/batch/reporter.h"

#include <unistd.h>

#include <algorithm>
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
  const std::string part = report.part && !named ? report.part->title() : "";
  return (named ? "" : report.input + ": ") + (part.empty() ? "" : part + ": ") + report.error_message;
}

}  // namespace

Reporter::Reporter(const BatchOptions& options, std::size_t count, bool to_stderr)
    : options_(options), to_stderr_(to_stderr), progress_(options.progress, count), inputs_(count) {}

void Reporter::add(std::size_t index, RunReport report) {
  const std::lock_guard lock(mutex_);
  Waiting& input = inputs_[index];
  if (input.has_begun) progress_.expect_more();
  input.has_begun = true;
  input.reports.push_back(std::move(report));
  if (index == next_) print_waiting(input);
}

void Reporter::end(std::size_t index) {
  const std::lock_guard lock(mutex_);
  inputs_[index].has_ended = true;
  while (next_ < inputs_.size() && inputs_[next_].has_ended)
    if (++next_ < inputs_.size()) print_waiting(inputs_[next_]);
}

void Reporter::print_waiting(Waiting& input) {
  const std::vector<RunReport> ready = std::exchange(input.reports, {});  // first, since printing may throw
  for (const RunReport& report : ready) print_report(report);
}

void Reporter::finish() {
  for (Waiting& input : inputs_) print_waiting(input);
  progress_.erase();
}

long long Reporter::not_begun() const {
  return std::count_if(inputs_.begin(), inputs_.end(), [](const Waiting& input) { return !input.has_begun; });
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
  const double pixels = done ? static_cast<double>(report.frames.value_or(1) * shape.n * shape.h * shape.w) : 0;
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
  for (const Remark& warning : report.warnings) {
    const std::string& topic = warning.topic.empty() ? warning.text : warning.topic;
    // The parts of an input have the same warnings, and there may be any number of them.
    if ((warning.once || report.part) && !warned_.insert(report.part ? report.input + "\n" + topic : topic).second)
      continue;
    const std::string part = report.part ? report.part->title() : "";
    const bool is_once = warning.once && inputs_.size() > 1;
    print_message(MessageKind::warning,
                  report.input + ": " + (part.empty() ? "" : part + ": ") + warning.text +
                      (!part.empty() ? " (not repeated for other " + std::string(report.part->kind) + "s)"
                       : is_once     ? " (not repeated for other files)"
                                     : ""));
  }
}

}  // namespace convtool
