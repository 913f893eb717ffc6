#include "cli/batch/filter_pages.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/batch/failure.h"
#include "cli/job/forecast.h"
#include "cli/job/output_file.h"
#include "files/digest.h"
#include "files/file_writer.h"
#include "pictures/image_header.h"
#include "pictures/isolation/shared_memory.h"
#include "pictures/tiff/join_pages.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

/// The file of several results: a TIFF of pages, or an .npy with one item for each.
class PageFile {
 public:
  PageFile(const Destination& destination, std::int64_t pages, const RunContext& run)
      : path_(destination.path),
        is_npy_(destination.format->is_tensor()),
        pages_(pages),
        read_(run.read),
        options_{.keeps_existing = run.options.no_clobber, .always_flushed = run.resume != nullptr},
        creates_folder_(destination.create_folder),
        tiff_([this](std::span<const std::byte> bytes) { put(bytes); }) {}

  void add(const Job& job, const Outcome& outcome) {
    const std::span<const std::byte> bytes(outcome.bytes.data(), outcome.bytes.size());
    if (!is_npy_) return tiff_.add(bytes);
    if (!writer_) {
      Shape shape = job.shape;
      shape.n = pages_;
      put(npy_format(shape, 4).header);
    }
    put(bytes.last(static_cast<std::size_t>(job.shape.count() * size_of(job.dtype))));
  }

  /// Returns false where the file exists and is to be kept, which may have kept all pages from being added.
  [[nodiscard]] bool commit() {
    if (!writer_) return false;
    if (!is_npy_) tiff_.finish();
    return writer_->commit();
  }

 private:
  void put(std::span<const std::byte> bytes) {
    if (!writer_) {
      read_.refuse_overwriting(path_);
      if (creates_folder_) create_folder_of(path_);
      writer_.emplace(path_, options_);
    }
    writer_->write(written_, bytes);
    written_ += bytes.size();
  }

  const std::string path_;
  const bool is_npy_;
  const std::int64_t pages_;
  const ReadFiles& read_;
  const WriteOptions options_;
  const bool creates_folder_;
  std::optional<FileWriter> writer_;
  std::uint64_t written_ = 0;
  TiffJoiner tiff_;
};

/// A chosen page.
struct Page {
  std::int64_t number = 1;
  std::uint64_t at = 0;
  Shape shape;
  DType dtype = DType::u8;
};

std::string range_text(std::size_t pages) {
  return pages == 1 ? "has one page" : "has pages 1 to " + std::to_string(pages);
}

class PagesRun {
 public:
  PagesRun(const PagedInput& input, std::shared_ptr<const FileContent> content, std::optional<FileRecord> record)
      : input_(input.input),
        content_(std::move(content)),
        planned_(input.planned),
        run_(input.run),
        sink_(input.sink),
        record_(std::move(record)) {}

  void operator()(std::unique_lock<std::mutex> turn) {
    find_pages_and_memory();
    const bool is_one_file = pages_.size() > 1 && planned_.pattern.empty();
    if (is_one_file) memory_ += static_cast<std::int64_t>(2 * largest_result_);  // pages that are joined
    const MemoryBudget::Share share(run_.budget, memory_);
    turn.unlock();
    check_other_files();
    if (!is_one_file) return filter_each();
    if (odd_page_) refuse_formats();
    check_destination();
    if (run_.options.no_clobber && exists(destination_.path)) return report_kept();
    filter_into_one();
  }

 private:
  /// Sets the chosen pages, the destination of the first one, and the memory for any of them.
  void find_pages_and_memory() {
    const std::vector<std::uint64_t> places = find_pages(content_->bytes);
    const PageRange range = *run_.spec.pages;
    const auto count = static_cast<std::int64_t>(places.size());
    const std::int64_t last = range.last == PageRange::kEnd ? count : range.last;
    if (last > count) throw Error(ErrorKind::input, "", range_text(places.size()) + " " + asked_text(range));
    for (std::int64_t number = range.first; number <= last; ++number) {
      const std::uint64_t at = places[static_cast<std::size_t>(number - 1)];
      SourceHeader header;
      try {
        header = read_source_header(content_->bytes, input_.path, std::nullopt, at);
      } catch (const Error& error) {
        throw Error(error.kind(), "", "page " + std::to_string(number) + ": " + error.what());
      }
      const Forecast forecast = make_forecast(header, run_.spec);
      const Destination destination = final_name(planned_, header, forecast, run_.spec);
      if (pages_.empty()) destination_ = destination;
      if (destination.format->name() != destination_.format->name()) odd_page_ = number;
      memory_ = std::max(memory_,
                         memory_needed(header, std::ssize(content_->bytes), *destination.format, forecast, run_.spec) +
                             planned_threads_memory(header, destination, run_.spec, planner_));
      pages_.push_back({.number = number, .at = at, .shape = header.shape, .dtype = header.dtype});
      const double values = forecast.responses.empty() ? 0 : static_cast<double>(forecast.responses.back().count());
      result_bytes_ += values * size_of(DType::f32);
      largest_result_ = std::max(largest_result_, values * size_of(DType::f32));
    }
  }

  [[noreturn]] void refuse_formats() const {
    throw Error(ErrorKind::shape, "",
                "page " + std::to_string(*odd_page_) + " needs another format than page " +
                    std::to_string(pages_.front().number) +
                    ", and one file has one format; write numbered files, such as -o '{stem}-{n}.{ext}', or choose "
                    "pages that are alike");
  }

  std::string count_text() const { return std::to_string(pages_.size()) + " pages"; }

  [[noreturn]] void refuse_sheets_and_layers() const {
    throw Error(ErrorKind::shape, "",
                "--sheet and --dump-layers take one page, and " + count_text() +
                    " are chosen; choose one with --pages N, or write only sheets, numbered, such as --sheet "
                    "'{stem}-{n}.png'");
  }

  /// Throws Error if each page would overwrite the sheet or the files of layers of the one before it.
  void check_other_files() const {
    if (pages_.size() > 1 && (!destination_.other_files().empty() || !destination_.sheet.empty()))
      refuse_sheets_and_layers();
  }

  /// Throws Error unless the destination can store all pages.
  void check_destination() const {
    if (destination_.is_sheet) refuse_sheets_and_layers();
    const std::string format(destination_.format->name());
    if (format != "tiff" && format != "npy")
      throw Error(ErrorKind::shape, "",
                  format + " stores one picture, and " + count_text() +
                      " are chosen; write .tif or .npy, or numbered files, such as -o '{stem}-{n}.png'");
    if (format == "tiff") return;
    const Page& first = pages_.front();
    const auto text = [](const Page& page) {
      return "page " + std::to_string(page.number) + " is " + to_string(page.shape) + " " +
             std::string(to_string(page.dtype));
    };
    for (const Page& page : pages_)
      if (page.shape != first.shape || page.dtype != first.dtype)
        throw Error(ErrorKind::shape, "",
                    "an .npy stores pages of one size and depth (" + text(first) + ", " + text(page) +
                        "); write .tif, or choose pages that are alike");
  }

  RunReport filter(const Page& page, Surveys& surveys, const RunContext& run, PageFile* file) {
    const bool is_only_one = pages_.size() == 1;
    FilteredPart part{.name = InputPart{.kind = "page", .number = page.number},
                      .place = is_only_one ? 0 : static_cast<std::size_t>(page.number - pages_.front().number + 1),
                      .content = content_,
                      .page_at = page.at,
                      .turn = {},
                      .planner = planner_,
                      .has_share = true};
    if (file != nullptr) part.write = [file](const Job& job, const Outcome& outcome) { file->add(job, outcome); };
    return filter_input(input_, planned_.numbered(page.number), run, surveys, &part);
  }

  void filter_each() {
    for (const Page& page : pages_) {
      if (page.number > pages_.front().number && run_.cuts_off()) return;
      Surveys surveys;
      RunReport report = filter(page, surveys, run_, nullptr);
      if (report.status == RunReport::Status::ok) record(report.output);
      if (!sink_(std::move(report), std::move(surveys))) return;
    }
  }

  void filter_into_one() {
    constexpr double kLargestClassic = 0x80000000p0;  // as write_tiff() has it for one page
    FilterSpec spec = run_.spec;
    spec.encode.big_tiff = result_bytes_ > kLargestClassic;
    const RunContext run{.spec = spec,
                         .options = run_.options,
                         .read = run_.read,
                         .owners = run_.owners,
                         .listed = run_.listed,
                         .inputs = run_.inputs,
                         .budget = run_.budget,
                         .decoder = run_.decoder,
                         .filtering = run_.filtering,
                         .resume = run_.resume,
                         .cuts_off = run_.cuts_off};
    std::vector<std::pair<RunReport, Surveys>> reports;
    {
      PageFile file(destination_, std::ssize(pages_), run);
      for (const Page& page : pages_) {
        if (page.number > pages_.front().number && run_.cuts_off()) return report_interrupted(page.number - 1);
        Surveys surveys;
        RunReport report = filter(page, surveys, run, &file);
        if (report.status == RunReport::Status::error) {
          sink_(std::move(report), std::move(surveys));
          return;
        }
        reports.emplace_back(std::move(report), std::move(surveys));
      }
      if (!run_.options.dry_run) {
        if (!file.commit()) return report_kept();  // another program has written it meanwhile
        record(destination_.path);
      }
    }
    for (auto& [report, surveys] : reports)
      if (!sink_(std::move(report), std::move(surveys))) return;
  }

  /// Reports that the output exists and is kept.
  void report_kept() {
    RunReport report{
        .input = input_.path, .part = {}, .output = destination_.path, .status = RunReport::Status::skipped};
    report.skipped = SkipReason::exists;
    sink_(std::move(report), {});
  }

  /// Reports that the user has ended the run when page `last` was done.
  void report_interrupted(std::int64_t last) {
    sink_(failed({.input = input_.path, .part = {}, .output = destination_.path},
                 Error(ErrorKind::input, "", "is interrupted after page " + std::to_string(last))),
          {});
  }

  void record(const std::string& output) {
    if (run_.resume == nullptr || run_.options.dry_run || !record_) return;
    record_->digest = digest_of(content_->bytes);
    run_.resume->record(record_, output, [&] { return digest_of_file(output); });
  }

  const Input& input_;
  const std::shared_ptr<const FileContent> content_;
  const Destination& planned_;
  const RunContext& run_;
  const ReportSink& sink_;
  std::optional<FileRecord> record_;
  std::vector<Page> pages_;
  Destination destination_;
  std::optional<std::int64_t> odd_page_;  ///< the last one whose format is not that of the first
  std::int64_t memory_ = 0;
  double result_bytes_ = 0, largest_result_ = 0;  ///< of all pages, and of one, at most, not compressed
  JobPlanner planner_;
};

/// Gives decoders a file of their own to read, where the content is not one, so that it is not copied for each page.
void keep_in_memory(FileContent& content) {
  if (content.file) return;
  try {
    content.file.emplace(memory_file(content.bytes));
  } catch (const std::system_error&) {  // then it is copied
  }
}

}  // namespace

std::string asked_text(const PageRange& pages) {
  const std::string first = std::to_string(pages.first);
  if (pages.first == pages.last) return "(asked for page " + first + ")";
  return "(asked for pages " + first + " to " + std::to_string(pages.last) + ")";
}

void filter_pages(const PagedInput& input, FileContent content, std::optional<FileRecord> record,
                  std::unique_lock<std::mutex> turn) {
  keep_in_memory(content);
  PagesRun(input, std::make_shared<FileContent>(std::move(content)), std::move(record))(std::move(turn));
}

}  // namespace convtool
