#include "cli/batch/run_input.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "cli/batch/failure.h"
#include "cli/batch/filter_pages.h"
#include "cli/batch/filter_stream.h"
#include "cli/batch/filter_video.h"
#include "cli/job/output_file.h"
#include "core/text.h"
#include "files/stream_reader.h"
#include "pictures/stream/lone_picture.h"
#include "pictures/stream/picture_stream.h"
#include "pictures/stream/y4m.h"
#include "tensors/npz.h"

namespace convtool {
namespace {

/// Whether filter_input() skips the input before it is read.
bool is_skipped(const std::string& input, const Destination& planned, const RunContext& run) {
  return planned.pattern.empty() && !may_change(planned, input, run.spec) && keeps_all(planned, run);
}

/// Throws Error(input) if bytes follow the only picture or archive of a stream.
void refuse_more(std::span<const std::byte> bytes) {
  const bool is_npz = looks_like_npz(bytes);
  const std::optional<std::size_t> end = is_npz ? find_npz_end(bytes) : find_lone_picture_end(bytes);
  if (!end || *end == bytes.size()) return;
  const std::size_t rest = bytes.size() - *end;
  throw Error(
      ErrorKind::input, "",
      std::to_string(rest) + (rest == 1 ? " byte follows the " : " bytes follow the ") +
          (is_npz ? "archive" : "picture") +
          "; only PNG, JPEG and PNM can be several in one stream; if they belong to it, give it as a file of its own");
}

/// One input as it is passed on.
struct InputRun {
  const Input& input;
  const Destination& planned;
  const RunContext& run;
  const ReportSink& sink;

  /// Throws Error(input) if other pages than the only one are chosen. `parts`: what an input of this kind may have
  /// several of, or "".
  void check_only_page(const std::string& parts = "") const {
    const std::optional<PageRange>& pages = run.spec.pages;
    if (!pages || (pages->first == 1 && (pages->last == 1 || pages->last == PageRange::kEnd))) return;
    throw Error(ErrorKind::input, "",
                parts.empty() ? "has one page " + asked_text(*pages)
                              : "--pages chooses pages of a TIFF; leave it out: all " + parts + " are filtered");
  }

  bool has_chosen_pages(std::span<const std::byte> start) const {
    return run.spec.pages && sniff_picture_type(start) == PictureType::tiff;
  }

  void filter_file() const {
    Surveys surveys;
    RunReport report = filter_input(input, planned, run, surveys);
    sink(std::move(report), std::move(surveys));
  }

  void filter_file_pages() const {
    if (run.resume != nullptr)
      if (const std::optional<std::string> done = run.resume->find_done(input.path, planned)) {
        RunReport report{.input = input.path, .part = {}, .output = *done, .status = RunReport::Status::skipped};
        report.skipped = SkipReason::up_to_date;
        sink(std::move(report), {});
        return;
      }
    std::unique_lock turn = run.budget.turn();
    std::optional<FileRecord> record = look_at_file(input.path);
    filter_pages({.input = input, .planned = planned, .run = run, .sink = sink},
                 read_and_keep_file(input.path, run.options.size_limits()), record, std::move(turn));
  }

  /// A stream that is one picture or tensor.
  void filter_rest(StreamReader& stream) const {
    std::unique_lock turn = run.budget.turn();
    const bool has_pages = has_chosen_pages(stream.ahead());
    FileContent content{.bytes = stream.take_rest(run.options.size_limits()), .file = {}};
    refuse_more(content.bytes);
    if (has_pages)
      return filter_pages({.input = input, .planned = planned, .run = run, .sink = sink}, std::move(content), {},
                          std::move(turn));
    JobPlanner planner;
    FilteredPart part{.name = {},
                      .content = std::make_shared<FileContent>(std::move(content)),
                      .turn = std::move(turn),
                      .planner = planner};
    Surveys surveys;
    RunReport report = filter_input(input, planned, run, surveys, &part);
    sink(std::move(report), std::move(surveys));
  }

  void run_stream(StreamReader& stream) const {
    const std::span<const std::byte> start = stream.look(PictureStream::kSignature);
    if (PictureStream::can_follow(start)) {
      check_only_page("pictures of a stream");
      return filter_stream(input, stream, planned, run, sink);
    }
    if (looks_like_y4m(start)) return run_video(stream, {});
    if (!has_chosen_pages(start)) check_only_page();
    filter_rest(stream);
  }

  void run_video(StreamReader& stream, const std::optional<FileRecord>& record) const {
    check_only_page("frames of a video");
    RunReport report = filter_video(input.path, stream, record, planned, run);
    sink(std::move(report), {});
  }

  void operator()() const {
    if (is_skipped(input.path, planned, run)) return filter_file();
    if (input.text || !split_array_path(input.path).array.empty()) {
      check_only_page();
      return filter_file();
    }
    if (is_stream(input.path)) {
      std::unique_lock turn =
          run.budget.turn();  // it is being read: opening it and its first bytes may take their time
      StreamReader stream(input.path);
      stream.look(PictureStream::kSignature);
      turn.unlock();
      return run_stream(stream);
    }
    std::error_code ignored;
    const bool may_be_video = has_extension(input.path, ".y4m");
    if ((!may_be_video && !run.spec.pages) || !std::filesystem::is_regular_file(input.path, ignored))
      return filter_file();
    const std::optional<FileRecord> record = look_at_file(input.path);
    StreamReader file(input.path);
    const std::span<const std::byte> start = file.look(PictureStream::kSignature);
    if (has_chosen_pages(start)) return filter_file_pages();
    if (may_be_video && looks_like_y4m(start)) return run_video(file, record);
    check_only_page();
    filter_file();
  }
};

}  // namespace

void run_input(const Input& input, const Destination& planned, const RunContext& run, const ReportSink& sink) {
  std::atomic<bool> has_sink_failed = false;
  const ReportSink guarded = [&](RunReport report, Surveys surveys) {
    try {
      return sink(std::move(report), std::move(surveys));
    } catch (...) {
      has_sink_failed = true;
      throw;
    }
  };
  try {
    InputRun{.input = input, .planned = planned, .run = run, .sink = guarded}();
  } catch (const std::exception&) {
    if (has_sink_failed) throw;
    sink(failed({.input = input.path, .part = {}, .output = planned.path}, handled_error()), {});
  }
}

}  // namespace convtool
