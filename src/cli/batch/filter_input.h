// One input of a batch, from its name to the report on it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "cli/batch/batch_options.h"
#include "cli/batch/memory/memory_budget.h"
#include "cli/batch/output_owners.h"
#include "cli/batch/read_files.h"
#include "cli/batch/resume.h"
#include "cli/job/filter_spec.h"
#include "cli/job/job.h"
#include "cli/job/run_job.h"
#include "cli/job/surveys.h"
#include "pictures/isolation/picture_decoder.h"
#include "report/run_report.h"

namespace convtool {

/// The state that all inputs of a run share.
struct RunContext {
  const FilterSpec& spec;
  const BatchOptions& options;
  const ReadFiles& read;        ///< files that must not be overwritten
  OutputOwners& owners;         ///< files that belong to one input each
  const ListedFolders& listed;  ///< folders in which outputs would become inputs
  std::size_t inputs;           ///< how many this run has
  MemoryBudget& budget;
  PictureDecoder& decoder;
  std::mutex* filtering;  ///< locked from decoding an input to encoding it; null if several inputs may be at this stage
  Resume* resume;         ///< null without --manifest
  /// Asked where an input has a further picture, frame or page: whether the user has interrupted the run, which then
  /// leaves the rest of this input.
  std::function<bool()> cuts_off;
};

/// How many pictures of each input a report shows.
inline std::size_t surveyed_pictures(const FilterSpec& spec) { return spec.sheet ? 3 : 2; }

/// Whether --no-clobber keeps the output and all other files of a destination, because they exist.
bool keeps_all(const Destination& destination, const RunContext& run);

/// Takes the reports on the pictures of an input in their order. Returns whether the run goes on.
using ReportSink = std::function<bool(RunReport report, Surveys surveys)>;

/// Content that is read before filter_input() is called: of a stream, or a picture of an input that has several.
struct FilteredPart {
  std::optional<InputPart> name;
  std::size_t place = 0;                       ///< among the parts of its input, from 1; 0: the only one
  std::shared_ptr<const FileContent> content;  ///< its bytes, or those of the file with all pages
  std::uint64_t page_at = 0;                   ///< one of find_pages(), or 0
  std::unique_lock<std::mutex> turn;           ///< MemoryBudget::turn(), where its bytes wait for their share
  JobPlanner& planner;
  bool has_share = false;                 ///< its memory has been taken from the budget
  bool is_lost = false;                   ///< set where writing the result has failed; a part of it may be out
  std::function<void()> await_turn = {};  ///< returns once the parts before it are written
  /// Takes the result instead of the destination, if not empty.
  std::function<void(const Job& job, const Outcome& outcome)> write = {};
};

/// Reads, filters and writes one input, or a part of it, unless it can be skipped, and reports what happened. A failure
/// is reported, not thrown. Then no output has been written, with three exceptions: the files of layers before the one
/// that failed, a sheet in addition to an output that cannot be written, and an output that the manifest could not
/// record, which the message mentions. Thread-safe. For a report page `surveys` gets what it shows, as far as the input
/// was filtered.
RunReport filter_input(const Input& input, const Destination& planned, const RunContext& run, Surveys& surveys,
                       FilteredPart* part = nullptr);

}  // namespace convtool
