#include "cli/batch/filter_video.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/batch/failure.h"
#include "cli/batch/video_planes.h"
#include "cli/job/describe.h"
#include "cli/job/forecast.h"
#include "cli/job/output_file.h"
#include "core/parallel.h"
#include "core/stopwatch.h"
#include "core/turns.h"
#include "files/digest.h"
#include "files/file_writer.h"
#include "files/raster_values.h"
#include "pictures/stream/y4m.h"

namespace convtool {
namespace {

/// What happens to a plane of each frame.
struct PlaneJob {
  RasterLayout from, to;
  std::optional<Job> job;              ///< of luma and alpha that are filtered
  std::shared_ptr<const Plan> chroma;  ///< of chroma that is
  bool is_neutral = false;             ///< chroma of a result that is grey; otherwise the plane passes through

  bool keeps_size() const { return !job && !chroma && !is_neutral; }
};

class VideoRun {
 public:
  VideoRun(StreamReader& stream, const std::optional<FileRecord>& record, const Destination& planned,
           const RunContext& run, Attempt& attempt)
      : stream_(stream), record_(record), planned_(planned), run_(run), spec_(run.spec), attempt_(attempt) {}

  void operator()() {
    const bool is_kept = run_.options.no_clobber && exists(planned_.path);
    if (is_kept) attempt_.skipped = SkipReason::exists;
    if (is_kept || is_up_to_date()) return;
    header_ = read_y4m_header(stream_);
    const SourceHeader header = luma_header();
    const Forecast forecast = make_forecast(header, spec_);
    const Destination destination = final_name(planned_, header, forecast, spec_);
    if (spec_.sheet || spec_.dumps_layers)
      throw Error(ErrorKind::shape, "", "--sheet and --dump-layers are for pictures, and the input is a video");
    plan(header, destination);
    result_ = header_.resized(planes_.front().to.shape.w, planes_.front().to.shape.h);
    check_sizes();

    const std::int64_t frame_memory =
        memory_needed(header, static_cast<std::int64_t>(header_.frame_size()), *destination.format, forecast, spec_) +
        static_cast<std::int64_t>(result_.frame_size()) + planes_memory();
    // While one frame is filtered, the next is read or the last is written, as in a batch. Memory may have room for
    // fewer frames.
    const std::int64_t fitting = std::max<std::int64_t>(1, run_.options.memory_limit / frame_memory);
    const int workers = static_cast<int>(std::min<std::int64_t>(fitting, std::max(2, run_.options.jobs)));
    attempt_.memory = workers * frame_memory;
    attempt_.largest = header_.largest();
    const MemoryBudget::Share share(run_.budget, *attempt_.memory);
    attempt_.job = *planes_.front().job;
    if (run_.options.dry_run) return;

    refuse_terminal(destination.path, destination.format->name());
    if (destination.create_folder) create_folder_of(destination.path);
    run_.read.refuse_overwriting(destination.path);
    FileWriter writer(destination.path,
                      {.keeps_existing = run_.options.no_clobber, .always_flushed = run_.resume != nullptr});
    put(writer, result_.line());
    Y4mReader reader(stream_, header_);
    run_threads(workers, [&] { work(reader, writer); });
    if (failure_) throw Error(*failure_);
    const bool is_written = writer.commit();
    attempt_.outcome.emplace();
    attempt_.outcome->result.stats = stats_;
    attempt_.frames = frames_;
    for (const PlaneJob& plane : planes_)
      if (plane.job) attempt_.frame_responses += plane.job->plan->output_shape().count();
    if (attempt_.job->plan->recipe() != nullptr) attempt_.outcome->result.edges = EdgeResult{.stats = stats_};
    attempt_.outcome->convolve_seconds = watch_.seconds();
    if (!is_written)
      attempt_.skipped = SkipReason::exists;  // another program has written it meanwhile
    else if (run_.resume != nullptr && record_)
      run_.resume->record(digested(*record_), destination.path, [&] { return digest_of_file(destination.path); });
  }

 private:
  bool is_up_to_date() {
    if (run_.resume == nullptr || !run_.resume->find_done(attempt_.input, planned_)) return false;
    attempt_.skipped = SkipReason::up_to_date;
    return true;
  }

  /// The luma as a picture.
  SourceHeader luma_header() const {
    const RasterLayout luma = header_.layout(0);
    if (luma.shape.h > spec_.max_pixels / luma.shape.w)
      throw Error(ErrorKind::input, "",
                  std::to_string(luma.shape.w) + "x" + std::to_string(luma.shape.h) + " is more than " +
                      std::to_string(spec_.max_pixels) + " pixels; raise --max-pixels");
    return {.format = *find_file_format("y4m"), .shape = luma.shape, .dtype = luma.dtype};
  }

  void plan(const SourceHeader& header, const Destination& destination) {
    const bool filters_all = spec_.planes == PlaneRule::all;
    JobPlanner planner;
    for (std::size_t i = 0; i < header_.planes.size(); ++i) {
      PlaneJob plane{.from = header_.layout(i), .to = {}, .job = {}};
      const Shape& shape = plane.from.shape;
      const bool is_chroma = i == 1 || i == 2;
      if (i == 0 || (filters_all && !is_chroma)) {
        plane.job = planner.plan({.format = header.format, .shape = shape, .dtype = header.dtype, .filtered = shape},
                                 destination, spec_);
        if (plane.job->dtype != header.dtype)
          refuse_shape("", "a video keeps its depth, " + std::string(to_string(header.dtype)) + " (got --depth " +
                               std::string(to_string(plane.job->dtype)) + "); leave --depth out");
      }
      if (is_chroma) {
        plane.is_neutral = spec_.makes_grey() || (filters_all && !is_linear(*planes_.front().job, spec_));
        if (filters_all && !plane.is_neutral)
          plane.chroma = i == 2 ? planes_.back().chroma : plan_chroma(shape, header.format, spec_);
      }
      plane.to = plane.from;
      if (plane.job) plane.to.shape = plane.job->shape;
      if (plane.chroma) plane.to.shape = plane.chroma->output_shape();
      if (i > 0) {
        const RasterLayout& luma = planes_.front().to;
        if (plane.is_neutral) plane.to.shape = header_.resized(luma.shape.w, luma.shape.h).shape(i);
        plane.to.offset = planes_.back().to.offset + planes_.back().to.size();
      }
      planes_.push_back(std::move(plane));
    }
  }

  /// The floats of a plane of chroma, and the work of threads on a plane.
  std::int64_t planes_memory() const {
    std::int64_t values = 0, work = 0;
    for (const PlaneJob& plane : planes_) {
      if (plane.chroma) values = plane.from.shape.count() + plane.to.shape.count();
      if (plane.chroma) work = std::max(work, threads_memory(*plane.chroma));
      if (plane.job) work = std::max(work, threads_memory(*plane.job->plan));
    }
    return values * size_of(DType::f32) + work;
  }

  /// Throws Error(shape) unless the planes of the result have the sizes that belong to that of its luma, and all are
  /// filtered if the size changes.
  void check_sizes() const {
    const auto text = [](const Shape& s) { return std::to_string(s.w) + "x" + std::to_string(s.h); };
    const Shape& luma = planes_.front().to.shape;
    for (std::size_t i = 1; i < planes_.size(); ++i) {
      const Shape &shape = planes_[i].to.shape, expected = result_.shape(i);
      if (planes_[i].keeps_size() && luma != planes_.front().from.shape)
        refuse_shape("", "the luma would become " + text(luma) + " (from " + text(planes_.front().from.shape) +
                             "), and other planes keep their size; keep it with --padding same, or filter all planes "
                             "with --planes all");
      if (shape != expected)
        refuse_shape("", "the luma would become " + text(luma) + ", to which chroma of " + text(expected) +
                             " belongs (got " + text(shape) + "); keep the size with --padding same");
    }
  }

  void work(Y4mReader& reader, FileWriter& writer) {
    while (true) {
      std::optional<Y4mFrame> frame;
      {
        const std::lock_guard lock(reading_);
        if (has_ended_) return;
        try {
          frame = reader.next();
          if (frame && frame->number > 1 && run_.cuts_off()) {
            fail(Error(ErrorKind::input, "", "is interrupted after frame " + std::to_string(frame->number - 1)));
            frame.reset();
          }
        } catch (const std::exception&) {
          fail(handled_error());
        }
        if (!frame) {
          has_ended_ = true;
          return;
        }
      }
      OrderedTurn turn(turns_, frame->number);
      std::optional<Error> failure;
      Buffer planes;
      ResponseStats stats;
      try {
        planes = filter(*frame, stats);
      } catch (const std::exception&) {
        failure = handled_error();
      }
      turn.await();
      try {
        if (failure) throw Error(*failure);
        if (!has_lost_) {
          put(writer, {frame->line.data(), frame->line.size()});
          put(writer, {planes.data(), planes.size()});
          stats_.merge(stats);
          ++frames_;
        }
      } catch (const std::exception&) {
        has_lost_ = true;  // no later frame may take the place of this one
        has_ended_ = true;
        fail(handled_error());
      }
    }
  }

  Buffer filter(const Y4mFrame& frame, ResponseStats& stats) {
    std::unique_lock<std::mutex> filtering;
    if (run_.filtering != nullptr) filtering = std::unique_lock(*run_.filtering);
    const std::span<const std::byte> source(frame.planes.data(), frame.planes.size());
    Buffer result(result_.frame_size());
    const std::span<std::byte> target(result.data(), result.size());
    for (const PlaneJob& plane : planes_) {
      if (plane.job || plane.chroma) {
        Tensor input(plane.from.dtype, plane.from.shape), output(plane.to.dtype, plane.to.shape);
        load_raster(source, plane.from, input.ref());
        if (plane.job)
          stats.merge(filter_plane(*plane.job, std::as_const(input).ref(), output.ref()));
        else
          filter_chroma(*plane.chroma, planes_.front().job->mapping.map, header_.largest(), std::as_const(input).ref(),
                        output.ref());
        store_y4m_plane(plane.to, std::as_const(output).ref(), target);
      } else if (plane.is_neutral) {
        Tensor grey(plane.to.dtype, plane.to.shape);
        visit_dtype(plane.to.dtype, [&]<class T>(T) {
          std::fill_n(grey.data<T>(), plane.to.shape.count(), static_cast<T>((header_.largest() + 1) / 2));
        });
        store_y4m_plane(plane.to, std::as_const(grey).ref(), target);
      } else {
        std::copy_n(source.begin() + static_cast<std::ptrdiff_t>(plane.from.offset), plane.from.size(),
                    target.begin() + static_cast<std::ptrdiff_t>(plane.to.offset));
      }
    }
    return result;
  }

  ResponseStats filter_plane(const Job& job, const ConstTensorRef& input, const TensorRef& output) const {
    ResponseStats stats =
        job.plan->run({.input = input, .picture = {}, .output = output, .mapping = job.mapping, .observer = {}}).stats;
    fit_depth(job, header_.largest(), output, stats);
    return stats;
  }

  void put(FileWriter& writer, std::span<const std::byte> bytes) {
    writer.write(written_, bytes);
    written_ += bytes.size();
  }

  /// Keeps the first failure.
  void fail(const Error& error) {
    const std::lock_guard lock(failing_);
    if (!failure_) failure_ = error;
  }

  StreamReader& stream_;
  const std::optional<FileRecord>& record_;  ///< of the input before it was opened
  const Destination& planned_;
  const RunContext& run_;
  const FilterSpec& spec_;
  Attempt& attempt_;
  const Stopwatch watch_;
  Y4mHeader header_, result_;
  std::vector<PlaneJob> planes_;

  std::mutex reading_, failing_;
  std::atomic<bool> has_ended_ = false;
  std::optional<Error> failure_;
  Turns turns_;
  // By the thread whose turn it is to write.
  std::uint64_t written_ = 0;
  std::int64_t frames_ = 0;
  ResponseStats stats_;
  bool has_lost_ = false;
};

}  // namespace

RunReport filter_video(const std::string& input, StreamReader& stream, const std::optional<FileRecord>& record,
                       const Destination& planned, const RunContext& run) {
  Attempt attempt{.input = input, .output = planned.path};
  VideoRun video(stream, record, planned, run, attempt);
  try {
    video();
    return describe(attempt, run.spec);
  } catch (const std::exception&) {
    return failed(describe(attempt, run.spec), handled_error());
  }
}

}  // namespace convtool
