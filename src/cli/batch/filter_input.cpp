#include "cli/batch/filter_input.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <new>

#include "cli/batch/folders.h"
#include "cli/job/describe.h"
#include "cli/job/forecast.h"
#include "cli/job/output_file.h"
#include "core/stopwatch.h"
#include "files/digest.h"
#include "files/regular_file.h"

namespace convtool {
namespace {

bool all_exist(const Destination& destination) {
  return exists(destination.path) && std::all_of(destination.layers.begin(), destination.layers.end(), exists);
}

void refuse_folder(const std::string& input) {
  std::error_code ignored;
  if (input != "-" && std::filesystem::is_directory(input, ignored))
    throw Error(ErrorKind::input, input, "is a folder; add --recursive to filter the pictures in it");
}

/// An input in memory, with its header read.
struct LoadedFile {
  FileContent content;
  std::optional<FileRecord> record;  ///< of regular files; with a digest if there is a manifest
  SourceHeader header;
};

/// Refuses an input whose file alone exceeds the limit, and names all that it needs: by its header, for which the file
/// is mapped and not read as a whole.
[[noreturn]] void refuse_large_file(const std::string& input, const Destination& planned, const RunContext& run) {
  std::int64_t needed = 0;
  {
    const MappedFile file(input);
    const SourceHeader header = read_source_header(file.bytes(), input, run.spec.max_pixels);
    const Forecast forecast = make_forecast(header, run.spec);
    const Destination destination = final_name(planned, header, forecast, run.spec);
    needed = memory_needed(header, std::ssize(file.bytes()), *destination.format, forecast, run.spec);
  }
  run.budget.refuse(needed);
}

LoadedFile load(const std::string& input, const Destination& planned, const RunContext& run) {
  std::optional<FileRecord> record = look_at_file(input);
  if (record && record->size > run.options.memory_limit) refuse_large_file(input, planned, run);
  const auto limit = static_cast<std::size_t>(run.options.memory_limit);
  FileContent content = read_and_keep_file(input, limit, std::min(limit, kLargestStream));
  const SourceHeader header = read_source_header(content.bytes, input, run.spec.max_pixels);
  return {.content = std::move(content), .record = std::move(record), .header = header};
}

/// Throws Error where `path`, an output whose name depends on the input's content, must not be written.
void check_final_path(const std::string& path, const std::string& input, const RunContext& run) {
  run.read.refuse_overwriting(path);
  run.owners.refuse_others(path, input);
  run.listed.refuse_output(path, settled_path(path));
}

/// Returns false, and writes nothing, where the output exists and is to be kept.
bool write(const Outcome& outcome, const Destination& destination, const std::optional<FileRecord>& record,
           const RunContext& run) {
  if (destination.path == "-") {
    write_stdout(outcome.bytes);
    return true;
  }
  if (destination.create_folder) create_folder_of(destination.path);
  if (!run.options.no_clobber)
    write_file(destination.path, outcome.bytes);
  else if (!write_new_file(destination.path, outcome.bytes))
    return false;
  if (run.resume != nullptr) run.resume->record(record, destination.path, outcome.bytes);
  return true;
}

/// Filters one input, and fills in `attempt` step by step, so that a failure leaves what is known so far. `share`
/// covers the memory of `attempt`, and is taken once that is known.
void process(const Destination& planned, const RunContext& run, std::optional<MemoryBudget::Share>& share,
             Attempt& attempt) {
  const FilterSpec& spec = run.spec;
  const std::string& input = attempt.input;
  const auto skips = [&](const Destination& destination) {
    const bool exists_already = run.options.no_clobber && all_exist(destination);
    if (exists_already) attempt.skipped = SkipReason::exists;
    return exists_already;
  };
  if (!may_change(planned, input, spec) && skips(planned)) return;  // before anything is read
  refuse_folder(input);
  const Stopwatch decoding;
  if (run.resume != nullptr) {
    if (const std::optional<std::string> done = run.resume->find_done(input, planned)) {
      if (*done != planned.path) run.owners.refuse_others(*done, input);
      attempt.output = *done;
      attempt.skipped = SkipReason::up_to_date;
      return;
    }
  }

  std::unique_lock turn = run.budget.turn();
  LoadedFile file = load(input, planned, run);
  const Forecast forecast = make_forecast(file.header, spec);
  const Destination destination = final_name(planned, file.header, forecast, spec);
  attempt.output = destination.path;
  if (destination.path != planned.path) check_final_path(destination.path, input, run);
  if (skips(destination)) return;
  attempt.memory = memory_needed(file.header, std::ssize(file.content.bytes), *destination.format, forecast, spec);
  share.emplace(run.budget, *attempt.memory);
  turn.unlock();
  std::unique_lock<std::mutex> filtering;
  if (run.filtering != nullptr) filtering = std::unique_lock(*run.filtering);

  if (run.resume != nullptr && file.record) file.record->digest = digest_of(file.content.bytes);
  std::optional<Source> source = decode_source(std::move(file.content), file.header, run.decoder, spec.plan.threads);
  std::optional<Image> picture;
  if (spec.edges && spec.edges->kind == EdgeKind::overlay && !source->is_tensor()) picture = source->image();
  if (spec.grey || (spec.makes_grey() && !source->is_tensor())) source->make_grey();
  attempt.decode_seconds = decoding.seconds();
  attempt.warnings = source->remarks;

  attempt.job = plan_job(*source, destination, spec);
  if (run.options.dry_run) return;
  if (destination.format->kind != FileFormat::Kind::json) refuse_terminal(destination.path, destination.format->name());
  const bool had_output = exists(destination.path);  // with --no-clobber: only a layer's file was missing
  attempt.outcome = run_job(*attempt.job, std::move(source), std::move(picture), spec, run.options.no_clobber);
  if (filtering.owns_lock()) filtering.unlock();
  const Stopwatch writing;
  const bool is_written = write(*attempt.outcome, destination, file.record, run);
  attempt.write_seconds = writing.seconds();
  if (!is_written && !had_output)  // another program has written it meanwhile
    attempt = {.input = input, .output = destination.path, .skipped = SkipReason::exists};
}

}  // namespace

RunReport filter_input(const std::string& input, const Destination& planned, const RunContext& run) {
  std::optional<MemoryBudget::Share> share;
  Attempt attempt{.input = input, .output = planned.path};
  const auto failed = [&](ErrorKind kind, const std::string& message) {
    RunReport report = describe(attempt, run.spec);
    report.status = RunReport::Status::error;
    report.error_kind = kind;
    report.error_message = message;
    return report;
  };
  try {
    process(planned, run, share, attempt);
    return describe(attempt, run.spec);
  } catch (const Error& error) {
    return failed(error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    return failed(ErrorKind::memory, "not enough memory");
  } catch (const std::exception& error) {
    return failed(ErrorKind::internal, error.what());
  }
}

}  // namespace convtool
