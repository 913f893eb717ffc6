// Prints the reports of a batch, in the order of the inputs.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/batch/batch_options.h"
#include "cli/terminal/terminal.h"
#include "report/run_report.h"

namespace convtool {

/// Inputs end in any order; each report is printed once those before it have been. Thread-safe unless noted.
class Reporter {
 public:
  /// For `count` inputs. `to_stderr`: standard output carries a result.
  Reporter(const BatchOptions& options, std::size_t count, bool to_stderr);

  /// Takes a report on input `index`, which may have several, in the order of its parts.
  void add(std::size_t index, RunReport report);

  /// Input `index` gets no further report.
  void end(std::size_t index);

  /// Prints the reports that wait for an input that was never started. Call it when all threads are done.
  void finish();

  // After finish(); not thread-safe.

  /// How many reports there were.
  long long count() const { return counts_[0] + counts_[1] + counts_[2]; }
  bool any_failed() const { return counts_[static_cast<int>(RunReport::Status::error)] > 0; }
  /// How many inputs have no report.
  long long not_begun() const;
  /// "12 done, 1 skipped, 0 failed; 34.5 megapixels in 2.1 s, 16.4 MP/s", with the number not started, if any.
  std::string summary(double seconds) const;

 private:
  /// The reports on an input that are not yet printed.
  struct Waiting {
    std::vector<RunReport> reports;
    bool has_begun = false, has_ended = false;
  };

  void print_waiting(Waiting& input);
  void print_report(const RunReport& report);
  void print_warnings(const RunReport& report);

  const BatchOptions& options_;
  const bool to_stderr_;
  std::mutex mutex_;
  Progress progress_;
  std::vector<Waiting> inputs_;
  std::size_t next_ = 0;          ///< the input whose reports are printed as they come
  std::set<std::string> warned_;  ///< topics or texts of warnings that are printed once a run
  long long counts_[3] = {};      ///< by RunReport::Status
  double pixels_ = 0;
};

}  // namespace convtool
