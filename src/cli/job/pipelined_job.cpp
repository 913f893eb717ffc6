#include "cli/job/pipelined_job.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>

#include "core/stopwatch.h"
#include "network/band_run.h"
#include "pictures/strip_encoder.h"

namespace convtool {
namespace {

/// Thrown where a file turns out to be damaged, or a row is asked for that is gone. Then the whole picture is needed.
struct NoMoreRows {};

/// Rows that are decoded from the first to the last, for readers that want some of them twice. Used by one thread at a
/// time.
class RowFeed {
 public:
  /// Keeps the last `kept` rows that were decoded.
  RowFeed(PictureRows& rows, const SourceHeader& header, bool makes_grey, std::int64_t kept)
      : rows_(rows),
        dtype_(header.dtype),
        height_(header.shape.h),
        kept_(header.dtype,
              {.n = 1, .c = makes_grey ? 1 : header.shape.c, .h = std::min(kept, height_), .w = header.shape.w}) {
    if (makes_grey) colours_.emplace(dtype_, PixelFormat::rgb, kColourRows, header.shape.w);
  }

  /// Fills `to`, without gaps, with the rows from `first` on. Throws NoMoreRows.
  void read(std::int64_t first, const TensorRef& to) {
    const Stopwatch watch;
    const std::int64_t last = first + to.shape.h;
    if (first > next_) skip(first - next_);
    const std::int64_t again = std::clamp<std::int64_t>(next_ - first, 0, to.shape.h);
    if (again > 0) copy_kept(first, to.rows(0, again));
    if (last > next_) decode(to.rows(again, to.shape.h - again));
    seconds_ += watch.seconds();
  }

  /// Decodes the rows that nobody has asked for. Returns whether the file is sound.
  bool finish() {
    const Stopwatch watch;
    skip(height_ - next_);
    const bool is_sound = rows_.is_sound();
    seconds_ += watch.seconds();
    return is_sound;
  }

  double seconds() const { return seconds_; }  ///< that decoding took

 private:
  static constexpr std::int64_t kColourRows = 8;  // that are converted to luma at a time

  std::size_t row_bytes() const {
    return static_cast<std::size_t>(kept_.shape().c * kept_.shape().w * size_of(dtype_));
  }
  std::byte* kept_row(std::int64_t y) {
    return static_cast<std::byte*>(kept_.ref().data) + static_cast<std::size_t>(y) * row_bytes();
  }

  void copy_kept(std::int64_t first, const TensorRef& to) {
    const std::int64_t oldest = next_ - held_;
    if (first < oldest) throw NoMoreRows();
    std::memcpy(to.data, kept_row(first - oldest), static_cast<std::size_t>(to.shape.h) * row_bytes());
  }

  void skip(std::int64_t count) {
    constexpr std::int64_t kAtATime = 16;
    Shape shape = kept_.shape();
    shape.h = std::min(count, kAtATime);
    if (count == 0) return;
    Tensor memory(dtype_, shape);
    for (; count > 0; count -= shape.h) {
      shape.h = std::min(count, kAtATime);
      decode(channels_last(memory).rows(0, shape.h));
    }
  }

  void decode(const TensorRef& to) {
    if (!(colours_ ? decode_luma(to) : rows_.read(to))) throw NoMoreRows();
    next_ += to.shape.h;
    keep(to);
  }

  bool decode_luma(const TensorRef& to) {
    auto* out = static_cast<std::byte*>(to.data);
    for (std::int64_t y = 0; y < to.shape.h;) {
      const std::int64_t count = std::min(kColourRows, to.shape.h - y);
      if (!rows_.read(blue_first(colours_->all().rows(0, count)))) return false;
      const Image luma = colours_->to_luma();
      for (std::int64_t i = 0; i < count; ++i, ++y, out += row_bytes())
        std::memcpy(out, luma.all().rows(i, 1).data, row_bytes());
    }
    return true;
  }

  /// The same memory from its first byte on.
  static TensorRef blue_first(TensorRef rows) {
    rows.data = static_cast<std::byte*>(rows.data) + (rows.shape.c - 1) * rows.strides.c * size_of(rows.dtype);
    rows.strides.c = -rows.strides.c;
    return rows;
  }

  /// Moves the last of these rows to the end of those that are kept.
  void keep(const TensorRef& rows) {
    const std::int64_t most = kept_.shape().h, added = std::min(rows.shape.h, most);
    const std::int64_t older = std::min(held_, most - added);
    std::memmove(kept_row(0), kept_row(held_ - older), static_cast<std::size_t>(older) * row_bytes());
    std::memcpy(kept_row(older), rows.rows(rows.shape.h - added, added).data,
                static_cast<std::size_t>(added) * row_bytes());
    held_ = older + added;
  }

  PictureRows& rows_;
  const DType dtype_;
  const std::int64_t height_;
  Tensor kept_;  // interleaved
  std::optional<Image> colours_;
  std::int64_t next_ = 0, held_ = 0;  // the next row to be decoded, and how many before it are kept
  double seconds_ = 0;
};

/// The largest file: noise grows a little.
double encoded_bytes(const Job& job) { return 1.05 * static_cast<double>(job.shape.count() * size_of(job.dtype)); }

}  // namespace

bool suits_pipeline(const SourceHeader& header, const Destination& destination, const FilterSpec& spec) {
  const bool is_overlay = spec.edges && spec.edges->kind == EdgeKind::overlay;
  return header.picture && !header.has_alpha() && destination.format->kind == FileFormat::Kind::picture &&
         !destination.is_sheet && destination.sheet.empty() && !spec.dumps_layers && !spec.survey && !is_overlay;
}

ColourOrder pipeline_order(const FilterSpec& spec) { return spec.makes_grey() ? ColourOrder::bgr : ColourOrder::rgb; }

std::optional<Outcome> run_pipelined(const Job& job, const SourceHeader& header, PictureRows& rows, std::int64_t memory,
                                     const FilterSpec& spec) {
  const Stopwatch watch;
  const BankPlan* const bank = job.plan->only_bank();
  if (bank == nullptr || !bank->has_bands() || bank->padding_mode() == PaddingMode::circular) return std::nullopt;
  const std::unique_ptr<StripEncoder> encoder = make_strip_encoder(
      *job.format().picture, {.dtype = job.dtype, .format = *job.pixels, .height = job.shape.h, .width = job.shape.w},
      spec.encode, job.metadata);
  if (!encoder) return std::nullopt;

  const bool makes_grey = header.shape.c > 1 && spec.makes_grey();
  const BandResult form{.dtype = job.dtype, .channels = job.shape.c, .channels_last = job.shape.c > 1};
  // What threads take beside bands is part of kEngineMemory, as in run_job().
  BandLimits limits{.with_work = std::numeric_limits<double>::infinity(), .step = encoder->strip_rows()};
  limits.all = std::min(limits.all, static_cast<double>(memory) - encoded_bytes(job));
  if (limits.all < limits.band) return std::nullopt;
  const BandRun run(*bank, header.traits(spec.makes_grey()).channels_last, form, job.mapping, spec.plan.threads,
                    limits);
  if (!run.reads_once()) return std::nullopt;

  // Padding shows rows at most a kernel's height away, and a band begins at most one above the end of the one before.
  RowFeed feed(rows, header, makes_grey, 2 * run.seen_rows());
  StripCollector strips(*encoder);
  std::mutex mutex;
  Outcome outcome;
  double filtering = 0;
  const BandStreams streams{
      .read = [&](std::int64_t, std::int64_t first, const TensorRef& to) { feed.read(first, to); },
      .write =
          [&](std::int64_t, std::int64_t first, const ConstTensorRef& result) {
            const Stopwatch encoding;
            strips.add(first, result);
            const std::lock_guard lock(mutex);
            outcome.encode_seconds += encoding.seconds();
          },
      .reads_in_order = true};
  try {
    outcome.result.stats = run.run(streams, &filtering);
    if (!feed.finish()) return std::nullopt;
  } catch (const NoMoreRows&) {
    return std::nullopt;
  }
  if (job.plan->recipe() != nullptr) outcome.result.edges = EdgeResult{.stats = outcome.result.stats};
  const Stopwatch joining;
  outcome.bytes = encoder->finish();
  outcome.encode_seconds += joining.seconds();

  const double share = watch.seconds() / (feed.seconds() + filtering + outcome.encode_seconds);
  outcome.decode_seconds = feed.seconds() * share;
  outcome.convolve_seconds = filtering * share;
  outcome.encode_seconds *= share;
  return outcome;
}

}  // namespace convtool
