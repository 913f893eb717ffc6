#include "cli/job/pipelined_job.h"

#include <algorithm>
#include <limits>
#include <mutex>

#include "cli/job/forecast.h"
#include "cli/job/row_feed.h"
#include "core/parallel.h"
#include "core/stopwatch.h"
#include "network/band_run.h"
#include "pictures/encode_image.h"

namespace convtool {
namespace {

/// Bytes that a run takes beside the file, bands, and what it keeps of its input.
double fixed_memory(const SourceHeader& header, const StripEncoder& encoder, const Job& job, const FilterSpec& spec) {
  const std::int64_t threads = spec.plan.threads == 0 ? available_cores() : spec.plan.threads;
  // As in memory_needed().
  const auto metadata = static_cast<std::int64_t>(header.metadata.size() + 4 * job.metadata.size());
  return static_cast<double>(kBlocksMemory + band_plans_memory(make_forecast(header, spec)) + metadata +
                             header.picture->working_memory) +
         encoder.file_memory() + static_cast<double>(std::min(threads, encoder.count())) * encoder.strip_memory();
}

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
  const double most = static_cast<double>(memory) - fixed_memory(header, *encoder, job, spec);
  BandLimits limits{.with_work = std::numeric_limits<double>::infinity(), .step = encoder->strip_rows()};
  limits.kept = 1;  // threads do the same again and again
  limits.all = std::min(limits.all, most);
  if (limits.all < limits.band) return std::nullopt;
  const SourceTraits traits = header.traits(spec.alpha, spec.makes_grey());
  BandRun run(*bank, traits.channels_last, form, job.mapping, spec.plan.threads, limits);
  if (!run.reads_once()) return std::nullopt;

  const std::int64_t kept_rows = run.kept_rows();
  const double row_bytes = static_cast<double>(traits.filtered.c * header.shape.w * size_of(header.dtype));
  const double for_bands = most - row_bytes * static_cast<double>(std::min(kept_rows, header.shape.h));
  run.limit_memory(for_bands);
  if (run.memory() > for_bands) return std::nullopt;
  RowFeed feed(rows, header.shape, header.dtype, makes_grey, kept_rows);
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
