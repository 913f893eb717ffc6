#include "cli/job/banded_job.h"

#include <algorithm>
#include <mutex>

#include "cli/job/output_file.h"
#include "core/stopwatch.h"
#include "pictures/raw_pictures.h"

namespace convtool {
namespace {

/// Bytes of pixels that are converted to luma, or scaled, at a time.
constexpr std::int64_t kColourBytes = 64 << 10;

bool is_raw(const FileFormat& format) {
  return format.kind == FileFormat::Kind::npy || (format.kind == FileFormat::Kind::picture && is_raw(*format.picture));
}

/// The file of the result, in a raw format.
RasterFormat raster_format(const Job& job) {
  if (job.format().is_tensor()) return npy_format(job.shape, job.tensor_rank);
  return *raw_picture_format(*job.format().picture, job.dtype, *job.pixels, job.shape.h, job.shape.w);
}

/// What stands in the way of bands before anything is planned, or "".
std::string obstacle_of(const FileFormat& format, const FilterSpec& spec) {
  if (!is_raw(format)) return "writing " + std::string(format.name());
  if (spec.sheet) return "--sheet";
  if (spec.dumps_layers) return "--dump-layers";
  if (spec.network.banks.size() > (spec.scaling ? 2 : 1)) return "a network of several layers";
  return "";
}

/// The bank that runs in bands, after another that scales rows as they are read, or null.
struct BandedBanks {
  const BankPlan *bank = nullptr, *scaling = nullptr;
};

BandedBanks banks_of(const Job& job, const FilterSpec& spec) {
  if (!spec.scaling) return {.bank = job.plan->only_bank()};
  const FoldedPlan* folded = job.plan->folded();
  if (folded != nullptr) return {.bank = &folded->plan.banks().front()};
  const std::vector<BankPlan>& banks = job.plan->kernels().banks();
  if (!spec.network.banks.back().layers.front().add.empty()) return {};
  if (banks.front().problem().input.c != banks.front().output_shape().c) return {};  // grey becomes three channels
  return {.bank = &banks.back(), .scaling = &banks.front()};
}

/// What stands in the way of `bank`, or "".
std::string obstacle_of(const BankPlan* bank) {
  if (bank == nullptr) return "this edge recipe, sum of layers or grey that becomes three channels";
  if (!bank->has_bands()) return "padding taller than the kernel, or of several modes,";
  return "";
}

/// Whether the bytes of the output, which are those of channel after channel, must be written in their order.
bool writes_channels_in_order(const Job& job) {
  return is_stream(job.destination.path) && job.shape.c > 1 && job.format().is_tensor();
}

/// The plan of `job` for its channels as pictures of their own, or null where they have to be filtered together.
std::unique_ptr<const Plan> plan_channels(SourceTraits source, const Job& job, const FilterSpec& spec) {
  const auto is_one = [](const auto& list) { return list.size() <= 1; };
  const Bank& bank = spec.network.banks.front();
  const Layer& layer = bank.layers.front();
  const bool are_apart = job.plan->recipe() == nullptr && !spec.scaling && is_one(bank.layers) && layer.rank == 2 &&
                         is_one(layer.bias) && is_one(layer.divisor) && bank.combine == Combine::none;
  if (!are_apart || job.shape.c != source.shape.c || source.channels_last || !job.format().is_tensor() || spec.survey)
    return nullptr;
  source.shape.n *= source.shape.c;
  source.shape.c = 1;
  source.filtered = source.shape;
  std::unique_ptr<const Plan> plan = make_plan(source, job.format(), spec);
  const bool has_same_bits = plan->only_bank()->algorithm() == job.plan->only_bank()->algorithm();
  return has_same_bits ? std::move(plan) : nullptr;
}

BandStreams::Order order_of(const std::string& path, const RasterLayout& layout) {
  if (!is_stream(path)) return BandStreams::Order::any;
  return layout.bottom_up ? BandStreams::Order::bottom_up : BandStreams::Order::top_down;
}

/// Fills `rows`, of one channel, with the luma of the colours from row `first` on.
void read_luma(const RasterReader& reader, std::int64_t first, const TensorRef& rows) {
  const Shape& shape = rows.shape;
  const std::int64_t row_bytes = 3 * shape.w * size_of(rows.dtype);
  const std::int64_t most = std::max<std::int64_t>(kColourBytes / row_bytes, 1);
  for (std::int64_t y = 0; y < shape.h; y += most) {
    const std::int64_t count = std::min(most, shape.h - y);
    const Image colours(rows.dtype, PixelFormat::rgb, count, shape.w);
    reader.read({.row = first + y}, colours.all());
    const Image luma = colours.to_luma();
    visit_dtype(rows.dtype, [&]<class T>(T) {
      for (std::int64_t i = 0; i < count; ++i)
        std::copy_n(luma.all().view<T>().row(0, 0, i), shape.w, rows.view<T>().row(0, 0, y + i));
    });
  }
}

/// Fills `rows`, of f32, with those that `read` gives for picture `n` from row `first` on, scaled by `scaling`.
void read_scaled(const BankPlan& scaling, const RowSource& read, std::int64_t n, std::int64_t first,
                 const TensorRef& rows) {
  const DType dtype = scaling.problem().input_dtype;
  Shape shape = rows.shape;
  const std::int64_t most = std::max<std::int64_t>(kColourBytes / (shape.c * shape.w * size_of(dtype)), 1);
  shape.h = std::min(most, shape.h);
  Tensor memory(dtype, shape);
  for (std::int64_t y = 0; y < rows.shape.h; y += most) {
    const std::int64_t count = std::min(most, rows.shape.h - y);
    const TensorRef pixels = memory.ref().rows(0, count);
    read(n, first + y, pixels);
    scaling.band({first + y, first + y + count}, 1).run(pixels, rows.rows(y, count), {});
  }
}

/// How the channels of a raw picture are shown; nothing for a tensor.
std::optional<PixelFormat> pixels_of(const SourceHeader& header) {
  if (header.format.is_tensor()) return std::nullopt;
  return header.shape.c == 3 ? PixelFormat::rgb : PixelFormat::grey;
}

/// What a thread takes to read rows, or to write them.
double buffers_of(const RasterLayout& from, bool makes_grey, const BankPlan* scaling, const RasterLayout& to) {
  std::int64_t reading = buffer_bytes(from);
  if (scaling != nullptr)
    reading += std::max(kColourBytes, from.shape.c * from.shape.w * size_of(from.dtype)) +
               static_cast<std::int64_t>(scaling->thread_memory());
  if (makes_grey) {
    const std::int64_t colours = std::max(kColourBytes, 3 * from.shape.w * size_of(from.dtype));
    reading += colours + colours / 3;
  }
  return static_cast<double>(std::max(reading, buffer_bytes(to)));
}

}  // namespace

BandedPlan plan_bands(const RasterSource& source, const Destination& destination, const FilterSpec& spec) {
  const auto refuse = [](std::string obstacle) {
    return BandedPlan{.job = std::nullopt, .bands = std::nullopt, .obstacle = std::move(obstacle)};
  };
  const SourceHeader& header = source.header;
  std::string obstacle = obstacle_of(*destination.format, spec);
  if (!obstacle.empty()) return refuse(std::move(obstacle));
  const bool is_coloured = !header.format.is_tensor() && header.shape.c == 3;
  const bool makes_grey = is_coloured && spec.makes_grey();
  if (spec.grey && header.format.is_tensor()) refuse_grey_tensor();
  const SourceTraits traits = header.traits(spec.alpha, makes_grey);
  Job job = plan_job(traits, destination, spec);
  const BandedBanks banks = banks_of(job, spec);
  obstacle = obstacle_of(banks.bank);
  if (obstacle.empty() && banks.scaling != nullptr) obstacle = obstacle_of(banks.scaling);
  if (!obstacle.empty()) return refuse(std::move(obstacle));

  RasterFormat format = raster_format(job);
  const BandStreams::Order order = order_of(destination.path, format.layout);
  BandLimits limits;
  limits.buffers = buffers_of(source.reader.layout(), makes_grey, banks.scaling, format.layout);
  const bool channels_last =
      banks.scaling != nullptr ? banks.bank->problem().input_channels_last : traits.channels_last;
  const auto run_of = [&](const BankPlan& bank, std::int64_t channels) {
    const BandResult result{
        .dtype = job.dtype, .channels = channels, .channels_last = !job.format().is_tensor() && channels > 1};
    return BandRun(bank, channels_last, result, job.mapping, spec.plan.threads, limits);
  };
  BandRun run = run_of(*banks.bank, job.shape.c);
  std::unique_ptr<const Plan> channel_plan;
  if (job.shape.c > 1 && (writes_channels_in_order(job) || run.memory() > limits.with_work))
    channel_plan = plan_channels(traits, job, spec);
  if (writes_channels_in_order(job) && !channel_plan)
    return refuse("writing several channels of " + std::string(job.format().name()) + " to a pipe or device");
  const BankPlan* bank = channel_plan ? channel_plan->only_bank() : banks.bank;
  Bands bands{.channel_plan = nullptr,
              .bank = bank,
              .scaling = banks.scaling,
              .run = channel_plan ? run_of(*bank, 1) : std::move(run),
              .format = std::move(format),
              .makes_grey = makes_grey,
              .channels_last = channels_last,
              .order = order};
  bands.channel_plan = std::move(channel_plan);
  return {.job = std::move(job), .bands = std::move(bands), .obstacle = {}};
}

bool run_bands(const Bands& bands, const Job& job, const RasterSource& source, const WriteOptions& options,
               const OutputCheck& check, const FilterSpec& spec, Outcome& outcome, Surveys& surveys) {
  const Stopwatch watch;
  std::optional<Survey> after;
  if (surveys.options) after.emplace(job.dtype, job.shape, pixels_of(job), *surveys.options);
  std::optional<RasterWriter> writer;
  std::once_flag is_open;
  const auto open = [&] {
    check(job.destination.path);
    writer.emplace(job.destination.path, bands.format, options);
  };
  const std::int64_t channels = bands.channel_plan ? source.header.shape.c : 1;  // that are pictures
  const auto place = [&](std::int64_t n, std::int64_t first) {
    return Band{.item = n / channels, .channel = n % channels, .row = first};
  };
  const RowSource read_pixels = [&](std::int64_t n, std::int64_t first, const TensorRef& rows) {
    if (bands.makes_grey) return read_luma(source.reader, first, rows);
    source.reader.read(place(n, first), rows);
  };
  const BandStreams streams{.read =
                                [&](std::int64_t n, std::int64_t first, const TensorRef& rows) {
                                  if (bands.scaling == nullptr) return read_pixels(n, first, rows);
                                  read_scaled(*bands.scaling, read_pixels, n, first, rows);
                                },
                            .write =
                                [&](std::int64_t n, std::int64_t first, const ConstTensorRef& rows) {
                                  std::call_once(is_open, open);
                                  writer->write(place(n, first), rows);
                                  if (after) after->add(n, first, rows);
                                },
                            .order = bands.order};
  outcome.result.stats = bands.run.run(streams);
  if (job.plan->recipe() != nullptr) outcome.result.edges = EdgeResult{.stats = outcome.result.stats};
  source.reader.check_unchanged();
  const bool is_written = writer->commit();
  outcome.convolve_seconds = watch.seconds();
  if (after) {
    surveys.before = survey_file(source.reader, pixels_of(source.header), *surveys.options);
    surveys.responses =
        survey_responses(*bands.bank, bands.channels_last, streams.read, spec.plan.threads, *surveys.options);
    surveys.after = after->finish();
  }
  return is_written;
}

}  // namespace convtool
