// The chosen pages of a TIFF.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "cli/batch/filter_input.h"
#include "cli/batch/inputs/manifest.h"
#include "files/file.h"

namespace convtool {

/// An input with its place in the batch.
struct PagedInput {
  const Input& input;
  const Destination& planned;
  const RunContext& run;
  const ReportSink& sink;
};

/// "(asked for page 2)", for errors; `pages` have a last one.
std::string asked_text(const PageRange& pages);

/// Filters the pages of `spec.pages` in `content`, a TIFF, one after another, and reports on each. Several pages of a
/// name without {n} become one file, all or nothing: then the report on a page that fails is the only one. Failures of
/// pages are reported as by filter_input(), an interruption like one; others are thrown as Error. `record` is that of
/// the file before it was read, for the manifest. `turn` is the budget's, taken before that.
void filter_pages(const PagedInput& input, FileContent content, std::optional<FileRecord> record,
                  std::unique_lock<std::mutex> turn);

}  // namespace convtool
