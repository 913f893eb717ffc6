#include "cli/batch/filter_input.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <tuple>

#include "cli/batch/failure.h"
#include "cli/batch/folders.h"
#include "cli/job/banded_job.h"
#include "cli/job/describe.h"
#include "cli/job/forecast.h"
#include "cli/job/output_file.h"
#include "cli/job/pipelined_job.h"
#include "core/stopwatch.h"
#include "files/digest.h"
#include "files/regular_file.h"
#include "tensors/npz.h"

namespace convtool {
namespace {

void refuse_folder(const std::string& input) {
  std::error_code ignored;
  if (input != "-" && std::filesystem::is_directory(input, ignored))
    throw Error(ErrorKind::input, input, "is a folder; add --recursive to filter the pictures in it");
}

/// An input in memory, with its header read.
struct LoadedFile {
  std::shared_ptr<const FileContent> content;
  SourceHeader header;
};

/// Refuses an input whose file alone exceeds the limit, and names all that it needs: by its header, for which the file
/// is mapped and not read as a whole.
[[noreturn]] void refuse_large_file(const std::string& input, const Destination& planned, const RunContext& run,
                                    const std::string& cause) {
  std::int64_t needed = 0;
  {
    const MappedFile file(split_array_path(input).file);
    if (looks_like_npz(file.bytes())) run.budget.refuse(std::ssize(file.bytes()), cause);
    const SourceHeader header = read_source_header(file.bytes(), input, run.spec.max_pixels);
    const Forecast forecast = make_forecast(header, run.spec);
    const Destination destination = final_name(planned, header, forecast, run.spec);
    JobPlanner planner;
    needed = memory_needed(header, std::ssize(file.bytes()), *destination.format, forecast, run.spec) +
             planned_threads_memory(header, destination, run.spec, planner);
  }
  run.budget.refuse(needed, cause);
}

LoadedFile with_header(std::shared_ptr<const FileContent> content, const std::string& input, const RunContext& run,
                       std::uint64_t page_at = 0) {
  if (names_array(*content, input))
    content = std::make_shared<FileContent>(
        extract_array(*content, input, static_cast<std::size_t>(run.options.memory_limit)));
  const SourceHeader header = read_source_header(content->bytes, input, run.spec.max_pixels, page_at);
  return {.content = std::move(content), .header = header};
}

/// `cause` is what a refusal names (MemoryBudget::refuse()).
LoadedFile load(const std::string& input, const std::optional<FileRecord>& record, const Destination& planned,
                const RunContext& run, const std::string& cause = "") {
  if (record && record->size > run.options.memory_limit) refuse_large_file(input, planned, run, cause);
  const std::string file = split_array_path(input).file;
  return with_header(std::make_shared<FileContent>(read_and_keep_file(file, run.options.size_limits())), input, run);
}

LoadedFile load_text(const std::string& text, const RunContext& run) {
  const auto bytes = std::as_bytes(std::span(text));
  return with_header(std::make_shared<FileContent>(FileContent{.bytes = Bytes(bytes.begin(), bytes.end()), .file = {}}),
                     "", run);
}

/// Throws Error where the output, whose name was not known before, is another file of the same input.
void refuse_own_files(const Destination& destination) {
  for (const std::string& other : destination.other_files())
    if (settled_path(other) == settled_path(destination.path))
      throw Error(ErrorKind::output, destination.path,
                  "would be both the result and its sheet or a layer's file; choose another name with -o");
}

/// Throws Error where `path`, an output whose name depends on the input's content, must not be written.
void check_final_path(const Destination& destination, const std::string& input, const RunContext& run) {
  const std::string& path = destination.path;
  run.read.refuse_overwriting(path);
  refuse_own_files(destination);
  run.owners.refuse_others(path, input);
  run.listed.refuse_output(path, settled_path(path));
}

/// The same for numbered names, which are not known before the work.
void check_numbered_paths(const Destination& destination, const std::string& input, const RunContext& run) {
  refuse_own_files(destination);
  const auto check = [&](const std::string& path) {
    run.read.refuse_overwriting(path);
    run.owners.claim_numbered(path, input);
    run.listed.refuse_output(path, settled_path(path));
  };
  if (!destination.pattern.empty()) check(destination.path);
  if (!destination.sheet_pattern.empty()) check(destination.sheet);
}

/// Returns false, and writes nothing, where the output exists and is to be kept. Another program may have made the
/// output a link to an input since it was planned.
bool write(const Outcome& outcome, const Destination& destination, const RunContext& run) {
  if (destination.path == "-") {
    write_stdout(outcome.bytes);
    return true;
  }
  run.read.refuse_overwriting(destination.path);
  if (destination.create_folder) create_folder_of(destination.path);
  if (run.options.no_clobber) return write_new_file(destination.path, outcome.bytes);
  const bool is_recorded = run.resume != nullptr;  // a record must not outlive its file in a power failure
  write_file(destination.path, outcome.bytes, is_recorded);
  return true;
}

/// Writes the sheet of a result in addition to the output, unless it exists and is to be kept.
void write_sheet(const Outcome& outcome, const Destination& destination, const RunContext& run) {
  if (destination.sheet.empty()) return;
  if (destination.sheet == "-") return write_stdout(outcome.sheet);
  run.read.refuse_overwriting(destination.sheet);
  if (destination.create_sheet_folder) create_folder_of(destination.sheet);
  if (run.options.no_clobber)
    std::ignore = write_new_file(destination.sheet, outcome.sheet);
  else
    write_file(destination.sheet, outcome.sheet);
}

/// Whether the file is a batch of pictures so small that filtering one by one takes longer than all together.
bool has_tiny_pictures(const Shape& shape) {
  constexpr std::int64_t kTiny = 1 << 14;  // values
  return shape.n > 1 && shape.c * shape.h * shape.w < kTiny;
}

/// The options of the surveys of an input, or of a part of one. They must not need more memory than FilterSpec::survey.
std::optional<SurveyOptions> survey_options_of(const FilteredPart* part, const RunContext& run) {
  if (part == nullptr || part->place == 0) return run.spec.survey;
  return survey_options_of_part(run.inputs, surveyed_pictures(run.spec), part->place);
}

/// Whether standard output is this file, as after 1<>FILE in a shell.
bool is_standard_output(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::equivalent("/dev/stdout", path, ignored);
}

/// The steps for one input. They fill in `attempt` one after another, so that a failure leaves what is known so far.
class Process {
 public:
  /// `share` covers the memory of `attempt`, and is taken once that is known. `part` is null for a whole input.
  Process(const std::optional<std::string>& text, const Destination& planned, const RunContext& run,
          std::optional<MemoryBudget::Share>& share, Attempt& attempt, Surveys& surveys, FilteredPart* part)
      : text_(text),
        planned_(planned),
        run_(run),
        spec_(run.spec),
        share_(share),
        attempt_(attempt),
        surveys_(surveys),
        part_(part),
        planner_(part != nullptr ? part->planner : own_planner_),
        input_(attempt.input) {}

  void operator()() {
    if (!may_change(planned_, input_, spec_) && skips(planned_)) return;  // before anything is read
    const bool is_file = part_ == nullptr && !text_;
    if (!text_) refuse_folder(input_);
    if (part_ == nullptr && is_up_to_date()) return;

    std::unique_lock turn = part_ != nullptr ? std::move(part_->turn) : run_.budget.turn();
    if (is_file) record_ = look_at_file(input_);
    std::optional<RasterSource> raster = is_file ? open_raster_source(input_, spec_.max_pixels) : std::nullopt;
    std::optional<LoadedFile> file;
    if (part_ != nullptr)
      file.emplace(with_header(std::move(part_->content), input_, run_, part_->page_at));
    else if (text_)
      file.emplace(load_text(*text_, run_));
    else if (!raster)
      file.emplace(load(input_, record_, planned_, run_));
    const SourceHeader header = raster ? raster->header : file->header;
    const Forecast forecast = make_forecast(header, spec_);
    const Destination destination = final_name(planned_, header, forecast, spec_);
    attempt_.output = destination.path;
    if (destination.path != planned_.path) check_final_path(destination, input_, run_);
    if (part_ != nullptr) check_numbered_paths(destination, input_, run_);
    if (skips(destination)) return;
    const auto whole_memory = [&](std::int64_t file_bytes) {
      return memory_needed(header, file_bytes, *destination.format, forecast, spec_);
    };

    std::string cause;  // that a file which could be read in bands is loaded
    if (raster) {
      const auto file_bytes = static_cast<std::int64_t>(raster->reader.file().size());
      attempt_.memory = whole_memory(file_bytes);
      if (header.picture && run_.options.isolation == Isolation::always) {
        cause = "--isolate always";
      } else if (destination.path == "-" && is_standard_output(input_)) {
        cause = "overwriting the input through standard output";
      } else if (!has_tiny_pictures(header.shape) || *attempt_.memory > run_.options.memory_limit) {
        BandedPlan bands = plan_bands(*raster, destination, spec_);
        if (bands.job) return filter_bands(*std::move(bands.job), *bands.bands, *raster, forecast, std::move(turn));
        cause = std::move(bands.obstacle);
      }
      raster.reset();
    }
    if (!file) file.emplace(load(input_, record_, planned_, run_, cause));
    attempt_.memory =
        whole_memory(std::ssize(file->content->bytes)) + planned_threads_memory(header, destination, spec_, planner_);
    if (part_ == nullptr || !part_->has_share) share_.emplace(run_.budget, *attempt_.memory, cause);
    if (turn.owns_lock()) turn.unlock();
    filter_whole(*std::move(file), destination);
  }

 private:
  bool skips(const Destination& destination) {
    const bool is_kept = keeps_all(destination, run_);
    if (is_kept) attempt_.skipped = SkipReason::exists;
    return is_kept;
  }

  bool is_up_to_date() {
    if (run_.resume == nullptr) return false;
    const std::optional<std::string> done = run_.resume->find_done(input_, planned_);
    if (!done) return false;
    if (*done != planned_.path) run_.owners.refuse_others(*done, input_);
    attempt_.output = *done;
    attempt_.skipped = SkipReason::up_to_date;
    return true;
  }

  /// Filters band by band. The file is read and written meanwhile, which all counts as filtering.
  void filter_bands(Job planned, Bands& bands, const RasterSource& raster, const Forecast& forecast,
                    std::unique_lock<std::mutex> turn) {
    const std::int64_t rest = memory_beside_bands(forecast, spec_) + raster.reader.memory();
    bands.run.limit_memory(static_cast<double>(run_.options.memory_limit - rest));
    attempt_.memory = rest + static_cast<std::int64_t>(bands.run.memory());
    share_.emplace(run_.budget, *attempt_.memory);
    turn.unlock();
    const std::unique_lock<std::mutex> filtering = wait_for_turn();

    if (raster.header.picture) attempt_.warnings = remarks_on(*raster.header.picture);
    add_remarks(planned.destination, spec_, attempt_.warnings);
    attempt_.decode_seconds = decoding_.seconds() - waited_seconds_;
    const Job& job = attempt_.job.emplace(std::move(planned));
    if (run_.options.dry_run) return;
    check_output(job.destination);
    if (run_.resume != nullptr && record_) record_->digest = digest_of_file(raster.reader.file());
    if (job.destination.create_folder) create_folder_of(job.destination.path);
    attempt_.outcome.emplace();
    const bool is_written = run_bands(
        bands, job, raster, {.keeps_existing = run_.options.no_clobber, .always_flushed = run_.resume != nullptr},
        output_check(), spec_, *attempt_.outcome, surveys_);
    if (const std::int64_t rounded = raster.reader.rounded_values(); rounded > 0)
      attempt_.warnings.push_back(
          rounding_remark(rounded, raster.header.shape, to_string(raster.reader.layout().stored)));
    finish(job.destination, is_written, [&] { return digest_of_file(job.destination.path); });
  }

  void filter_whole(LoadedFile file, const Destination& destination) {
    std::unique_lock<std::mutex> filtering = wait_for_turn();
    if (run_.resume != nullptr && record_) {
      if (file.content->file)
        record_->digest = digest_of(file.content->bytes);
      else
        record_ = digested(*record_);  // an array of an .npz file is recorded with the digest of that file
    }
    if (!filter_rows(file, destination)) filter_pixels(std::move(file), destination);
    if (run_.options.dry_run) return;
    if (filtering.owns_lock()) filtering.unlock();
    if (part_ != nullptr && part_->await_turn) part_->await_turn();
    const Stopwatch writing;
    if (part_ != nullptr) part_->is_lost = true;  // until it is written
    write_sheet(*attempt_.outcome, destination, run_);
    bool is_written = true;
    if (part_ != nullptr && part_->write)
      part_->write(*attempt_.job, *attempt_.outcome);
    else
      is_written = write(*attempt_.outcome, destination, run_);
    if (part_ != nullptr) part_->is_lost = false;
    attempt_.write_seconds = writing.seconds();
    finish(destination, is_written, [&] { return digest_of(attempt_.outcome->bytes); });
  }

  /// Decodes, filters and encodes row by row. Returns false, with no outcome, where the whole picture is needed.
  bool filter_rows(const LoadedFile& file, const Destination& destination) {
    if (part_ != nullptr || run_.options.dry_run || !suits_pipeline(file.header, destination, spec_)) return false;
    const std::unique_ptr<PictureRows> rows =
        run_.decoder.open_rows(*file.content, *file.header.picture, pipeline_order(spec_));
    if (!rows) return false;
    attempt_.decode_seconds = decoding_.seconds() - waited_seconds_;
    attempt_.warnings = remarks_on(*file.header.picture);
    add_remarks(destination, spec_, attempt_.warnings);
    Job& job =
        attempt_.job.emplace(planner_.plan(file.header.traits(spec_.alpha, spec_.makes_grey()), destination, spec_));
    keep_metadata(file.header.metadata, spec_, job, attempt_.warnings);
    check_output(destination);
    const std::int64_t memory = *attempt_.memory - std::ssize(file.content->bytes);
    attempt_.outcome = run_pipelined(job, file.header, *rows, memory, spec_);
    return attempt_.outcome.has_value();
  }

  void filter_pixels(LoadedFile file, const Destination& destination) {
    std::optional<Source> source = decode_source(*file.content, file.header, run_.decoder, spec_.plan.threads);
    file.content.reset();
    const Stopwatch surveying;
    if (surveys_.options && !run_.options.dry_run) surveys_.before = survey_source(*source);
    const double surveyed_seconds = surveying.seconds();
    std::optional<Image> picture;
    if (spec_.edges && spec_.edges->kind == EdgeKind::overlay && !source->is_tensor()) picture = source->image();
    if (spec_.grey || (spec_.makes_grey() && !source->is_tensor())) source->make_grey();
    attempt_.decode_seconds = decoding_.seconds() - waited_seconds_ - surveyed_seconds;
    attempt_.warnings = source->remarks;
    add_remarks(destination, spec_, attempt_.warnings);

    const SourceTraits traits = source->traits(spec_.alpha);
    Job& job = attempt_.job.emplace(planner_.plan(traits, destination, spec_));
    keep_metadata(std::move(source->metadata), spec_, job, attempt_.warnings);
    if (run_.options.dry_run) return;
    check_output(destination);
    attempt_.outcome =
        run_job(job, std::move(source), std::move(picture), spec_, run_.options.no_clobber, output_check(), surveys_);
  }

  OutputCheck output_check() const {
    return [this](const std::string& path) { run_.read.refuse_overwriting(path); };
  }

  SurveyResult survey_source(const Source& source) const {
    if (source.is_tensor()) return survey(source.tensor().tensor.ref(), std::nullopt, *surveys_.options);
    return survey(source.image().all(), source.image().format(), *surveys_.options);
  }

  /// With one job, inputs are filtered one by one.
  std::unique_lock<std::mutex> wait_for_turn() {
    if (run_.filtering == nullptr) return {};
    const Stopwatch waiting;
    std::unique_lock turn(*run_.filtering);
    waited_seconds_ = waiting.seconds();
    return turn;
  }

  void check_output(const Destination& destination) {
    if (destination.format->kind != FileFormat::Kind::json)
      refuse_terminal(destination.path, destination.format->name());
    if (destination.sheet == "-") refuse_terminal(destination.sheet, destination.sheet_format->name());
    had_output_ = exists(destination.path);
  }

  /// Records what was written, whose digest `digest()` returns. If an output was to be kept, another program has
  /// written it meanwhile.
  template <class Digest>
  void finish(const Destination& destination, bool is_written, const Digest& digest) {
    if (is_written && run_.resume != nullptr && part_ == nullptr)
      run_.resume->record(record_, destination.path, digest);
    if (surveys_.options) surveys_.kept = kept_range(*attempt_.job, attempt_.outcome->result.stats);
    if (!is_written && !had_output_)
      attempt_ = {.input = input_, .part = attempt_.part, .output = destination.path, .skipped = SkipReason::exists};
  }

  const std::optional<std::string>& text_;
  const Destination& planned_;
  const RunContext& run_;
  const FilterSpec& spec_;
  std::optional<MemoryBudget::Share>& share_;
  Attempt& attempt_;
  Surveys& surveys_;
  FilteredPart* const part_;
  JobPlanner own_planner_;
  JobPlanner& planner_;
  const std::string input_;
  const Stopwatch decoding_;
  double waited_seconds_ = 0;         ///< for the input before this one
  std::optional<FileRecord> record_;  ///< of a regular file; with a digest if there is a manifest
  bool had_output_ = false;           ///< with --no-clobber: only a layer's file was missing
};

}  // namespace

bool keeps_all(const Destination& destination, const RunContext& run) {
  const std::vector<std::string> others = destination.other_files();
  return run.options.no_clobber && exists(destination.path) && std::all_of(others.begin(), others.end(), exists);
}

RunReport filter_input(const Input& input, const Destination& planned, const RunContext& run, Surveys& surveys,
                       FilteredPart* part) {
  std::optional<MemoryBudget::Share> share;
  Attempt attempt{.input = input.path, .output = planned.path};
  if (part != nullptr) attempt.part = part->name;
  if (run.spec.survey) surveys.options = survey_options_of(part, run);
  try {
    Process(input.text, planned, run, share, attempt, surveys, part)();
    return describe(attempt, run.spec);
  } catch (const std::exception&) {
    return failed(describe(attempt, run.spec), handled_error());
  }
}

}  // namespace convtool
