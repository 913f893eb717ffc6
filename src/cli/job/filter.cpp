#include "cli/job/filter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <variant>

#include "cli/job/result_format.h"
#include "edges/edge_plan.h"
#include "files/digest.h"
#include "files/file.h"
#include "network/alpha.h"
#include "network/premultiplied.h"
#include "pictures/encode_image.h"

namespace convtool {
namespace {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::shape, "", message); }

void check_size(const Shape& shape, std::int64_t max_pixels, const char* what) {
  if (shape.h > max_pixels / shape.w) {
    refuse(std::string(what) + " is too large (" + std::to_string(shape.w) + "x" + std::to_string(shape.h) +
           ", at most " + std::to_string(max_pixels) + " pixels); raise --max-pixels if you mean it");
  }
  constexpr double kAddressable = 0x1p46;  // elements; far beyond any memory, well within 64 bits
  if (static_cast<double>(shape.n) * static_cast<double>(shape.c) * static_cast<double>(shape.h) *
          static_cast<double>(shape.w) >
      kAddressable) {
    throw Error(ErrorKind::memory, "",
                std::string(what) + " of " + to_string(shape) + " needs more memory than there is");
  }
}

/// Channels of OutputMap::signs. Throws unless there is one response to show, in a type that shows it.
std::int64_t colours_of_signs(const Shape& response, DType dtype, const FileFormat& format) {
  if (response.c != 1)
    refuse("--map signed shows one channel in two colours (got " + std::to_string(response.c) +
           " channels); add --gray, or join them with --combine");
  if (!is_integer(dtype))
    refuse(std::string("--map signed makes colours of 8 or 16 bits (got f32); ") +
           (format.is_tensor() ? "write a picture such as .png" : "choose --depth u8"));
  return 3;
}

/// What turns a picture or tensor into values.
using Plan = std::variant<NetworkPlan, PremultipliedPlan, EdgePlan>;

const NetworkPlan& kernels_of(const Plan& plan) {
  if (const auto* network = std::get_if<NetworkPlan>(&plan)) return *network;
  if (const auto* premultiplied = std::get_if<PremultipliedPlan>(&plan)) return premultiplied->network();
  return std::get<EdgePlan>(plan).kernels();
}

Shape output_shape(const Plan& plan) {
  const auto* edges = std::get_if<EdgePlan>(&plan);
  return edges != nullptr ? edges->output_shape() : kernels_of(plan).output_shape();
}

/// Everything about one input that is known before its first sum is computed.
struct Job {
  Plan plan;
  Destination destination;
  FileFormat format;
  Shape shape;  ///< of the result, an alpha that was set aside included
  DType dtype;
  std::optional<PixelFormat> pixels;  ///< for pictures
  bool alpha_kept;
  Mapping mapping;
  bool map_told;  ///< whether the map has a say in the result
};

/// Edges of angles and colours: what of them depends on where they go.
EdgeRecipe settle_recipe(const Source& source, const FileFormat& format, const FilterOptions& options) {
  EdgeRecipe recipe = *options.edges;
  if (recipe.kind == EdgeKind::overlay && source.is_tensor())
    refuse("an overlay is painted on a picture, and this is a tensor; choose --output-kind binary");
  const bool floats = options.depth ? *options.depth == DType::f32 : format.is_tensor() || !is_integer(source.dtype());
  if (recipe.kind == EdgeKind::orientation && !options.angle_asked)
    recipe.angle = floats ? AngleUnit::radians : AngleUnit::wheel;
  if (recipe.kind == EdgeKind::orientation && recipe.angle != AngleUnit::wheel && options.depth && !floats)
    refuse("angles in " + std::string(kAngleUnits[static_cast<int>(recipe.angle)]) + " are f32 (got --depth " +
           std::string(to_string(*options.depth)) + "); choose --angle wheel");
  return recipe;
}

/// Where a kernel has a channel for the alpha that is set aside, the refusal says so.
void check_alpha_channel(const Source& source, const ConstTensorRef& x, const FilterOptions& options) {
  const Layer& first = options.network.banks.front().layers.front();
  const std::int64_t expected = first.shape.c_i_per_group * first.params.groups;
  if (source.has_alpha() && options.alpha == AlphaRule::keep && first.rank > 2 && expected == x.shape.c + 1) {
    refuse("the kernel's channels do not match the input (expected " + std::to_string(expected) + " channels, got " +
           std::to_string(x.shape.c) + ", alpha being set aside); say --alpha filter to count it as a channel");
  }
}

/// `dumps`: what each layer makes will be asked for.
Plan make_plan(const Source& source, const FileFormat& format, const FilterOptions& options, bool dumps) {
  const ConstTensorRef x = source.filtered_part(options.alpha);
  PlanOptions plan = options.plan;
  plan.input_channels_last = x.shape.c > 1 && std::abs(x.strides.c) == 1;
  plan.output_channels_last = !format.is_tensor();
  if (options.edges) return EdgePlan(settle_recipe(source, format, options), x.dtype, x.shape, plan);
  check_alpha_channel(source, x, options);
  if (options.alpha == AlphaRule::premultiply && source.has_alpha() && options.map == OutputMap::signs)
    refuse("--map signed has no room for a filtered alpha; choose --alpha keep");
  if (options.alpha == AlphaRule::premultiply && source.has_alpha() && dumps)
    refuse("--dump-layers would show layers of colours times alpha; choose --alpha keep");
  if (options.alpha == AlphaRule::premultiply && source.has_alpha())
    return PremultipliedPlan(options.network, x.dtype, x.shape, options.flip, plan);
  return NetworkPlan(options.network, x.dtype, x.shape, options.flip, plan);
}

/// What becomes of responses, the kernel's own wish included.
Mapping settle_mapping(const FilterOptions& options, DType dtype) {
  const Bank& last = options.network.banks.back();
  Mapping mapping = resolve_map(options.map.value_or(last.map.value_or(OutputMap::automatic)), last, dtype);
  mapping.percentiles = options.percentiles;
  mapping.threshold = options.threshold;
  if (mapping.threshold && mapping.map != OutputMap::clip && mapping.map != OutputMap::abs)
    refuse("--threshold is for --map clip or abs (the kernel asks for " + std::string(to_string(mapping.map)) +
           "); say which");
  return mapping;
}

/// The element type of what edges are told in, where the recipe decides it.
std::optional<DType> depth_of(const FilterOptions& options, const Plan& plan) {
  if (!options.edges || options.depth) return options.depth;
  const auto* edges = std::get_if<EdgePlan>(&plan);
  return edges != nullptr && edges->recipe().is_signed() ? std::optional(DType::f32) : std::nullopt;
}

Remedies remedies_of(const FilterOptions& options) {
  if (!options.edges) return {};
  Remedies remedies{.combine = false};
  if (options.edges->is_signed())
    remedies.range = options.edges->kind == EdgeKind::orientation ? ", or choose --angle wheel" : "";
  else if (!options.edges->is_mapped())
    remedies.range = ", or choose --depth u8";
  return remedies;
}

Job plan_job(const Source& source, const Destination& asked, const FilterOptions& options) {
  const ConstTensorRef x = source.filtered_part(options.alpha);
  check_size(x.shape, options.max_pixels, "the input");
  Destination destination = asked;
  if (!destination.format) {
    const bool is_lossy = !source.is_tensor() && source.format.picture->name == "jpeg";
    destination.format = options.edges && is_lossy ? *find_file_format("png") : source.format;
  }
  if (destination.derived && source.is_tensor()) destination = with_format(destination, source.format);

  Plan plan = make_plan(source, *destination.format, options, !destination.layers.empty());
  for (const BankPlan& bank : kernels_of(plan).banks())
    check_size(bank.output_shape(), options.max_pixels, "the result");
  Shape shape = output_shape(plan);

  const OutputMap asked_map = options.map.value_or(options.network.banks.back().map.value_or(OutputMap::automatic));
  const bool map_asked = asked_map != OutputMap::automatic || options.threshold;
  const DType dtype = result_dtype(x.dtype, *destination.format, depth_of(options, plan), map_asked);
  const Mapping mapping = settle_mapping(options, dtype);
  if (mapping.map == OutputMap::signs) shape.c = colours_of_signs(shape, dtype, *destination.format);
  if (destination.derived && dtype == DType::f32 && !destination.format->holds_floats()) {
    const bool is_picture = result_pixels(shape.c, false, false).has_value();
    destination = with_format(destination, *find_file_format(is_picture ? "tiff" : "npy"));
  }
  const FileFormat format = *destination.format;

  const bool alpha_kept = source.has_alpha() && options.alpha == AlphaRule::keep;
  const bool alpha_filtered = source.has_alpha() && source.filtered_part(options.alpha).shape.c == source.shape.c;
  const std::optional<PixelFormat> pixels = result_pixels(shape.c, alpha_kept, alpha_filtered);
  check_holds(format, shape, dtype, pixels, alpha_kept, remedies_of(options));
  check_heeds(format, options.encode);
  shape.c += alpha_kept ? 1 : 0;
  const auto* edges = std::get_if<EdgePlan>(&plan);
  const bool map_told = (edges == nullptr || edges->recipe().is_mapped()) && (map_asked || is_integer(dtype));
  return {std::move(plan), destination, format, shape, dtype, pixels, alpha_kept, mapping, map_told};
}

BankReport describe_bank(const Bank& bank, const BankPlan& plan) {
  BankReport report{.name = bank.name,
                    .kernel_shape = bank.layers.front().dimensions(),
                    .per_channel = bank.layers.front().rank == 2,
                    .pooling = bank.layers.front().pooling,
                    .problem = plan.problem(),
                    .combine = bank.combine,
                    .algorithm = std::string(plan.algorithm()),
                    .instruction_set = std::string(instruction_set_in_use()),
                    .threads = plan.threads()};
  if (bank.layers.size() > 1) {
    report.kernel_shape.insert(report.kernel_shape.begin(), static_cast<std::int64_t>(bank.layers.size()));
  }
  report.mixed = std::any_of(bank.layers.begin(), bank.layers.end(), [&](const Layer& layer) {
    return layer.rank != bank.layers.front().rank || layer.shape != bank.layers.front().shape ||
           layer.params != bank.layers.front().params;
  });
  return report;
}

void describe_job(const Job& job, const Source& source, const FilterOptions& options, RunReport& report) {
  report.output = job.destination.path;
  report.input_shape = source.shape;
  report.input_rank = source.rank();
  report.input_dtype = source.dtype();
  report.output_shape = job.shape;
  report.output_rank = source.rank();
  report.output_dtype = job.dtype;
  if (job.map_told) report.mapping = job.mapping;
  report.kernel_name = options.network.name;
  report.layer_outputs = job.destination.layers;
  report.dry_run = options.dry_run;
  if (const auto* edges = std::get_if<EdgePlan>(&job.plan)) {
    report.edges =
        EdgeReport{.recipe = edges->recipe(), .channels = source.filtered_part(options.alpha).shape.c, .result = {}};
    if (const auto& rule = edges->recipe().hysteresis; rule && rule->source == ThresholdRule::Source::response)
      report.edges->result.thresholds = Thresholds{rule->low, rule->high};
    report.banks.push_back(describe_bank(edges->recipe().kernels, edges->kernels().banks().front()));
    return;
  }
  const std::vector<BankPlan>& plans = kernels_of(job.plan).banks();
  for (std::size_t i = 0; i < plans.size(); ++i)
    report.banks.push_back(describe_bank(options.network.banks[i], plans[i]));
}

/// The number of dimensions of a tensor result: its input's, but a matrix has no room for several channels.
int tensor_rank(const Shape& result, const Source& source) {
  return result.c == 1 ? source.rank() : std::max(source.rank(), 3);
}

/// Writes what each layer makes to the files of `job`; nothing where there are none.
LayerObserver layer_writer(const Job& job, const Source& source, const FilterOptions& options) {
  if (job.destination.layers.empty()) return {};
  return [&](std::size_t bank, const ConstTensorRef& responses) {
    const std::string& path = job.destination.layers[bank];
    if (options.no_clobber && exists(path)) return;
    NpyFile file = new_npy(responses.shape, tensor_rank(responses.shape, source));
    identity_plan(DType::f32, responses.shape, options.plan).run(responses, file.values(), {});
    make_folder_of(path);
    write_file(path, file.bytes);
  };
}

/// Runs the plan into `output`, which has room for the alpha that was set aside behind the filtered channels.
/// `picture` is what an overlay is painted on.
void convolve(const Job& job, const Source& source, const std::optional<Image>& picture, const FilterOptions& options,
              const TensorRef& output, RunReport& report) {
  const std::int64_t filtered = job.shape.c - (job.alpha_kept ? 1 : 0);
  const ConstTensorRef x = source.filtered_part(options.alpha);
  const TensorRef result = output.channels(0, filtered);
  if (const auto* edges = std::get_if<EdgePlan>(&job.plan)) {
    const EdgeResult found =
        edges->run(x, picture ? ConstTensorRef(picture->colour()) : ConstTensorRef(), result, job.mapping);
    report.stats = found.stats;
    report.edges->result = found;
  } else if (const auto* premultiplied = std::get_if<PremultipliedPlan>(&job.plan)) {
    report.stats = premultiplied->run(x, result, job.mapping);
  } else {
    report.stats = kernels_of(job.plan).run(x, result, job.mapping, layer_writer(job, source, options));
  }
  if (job.alpha_kept) {
    ReceptiveField field;
    for (const BankPlan& bank : kernels_of(job.plan).banks()) field.append(bank.geometry().problems);
    resample_alpha(*source.image().alpha(), field, output.channels(filtered, 1));
  }
}

template <class Work>
auto timed(double& seconds, const Work& work) {
  const Stopwatch watch;
  auto result = work();
  seconds = watch.seconds();
  return result;
}

/// Convolves into memory of the kind that the format takes, and encodes it. The source ends between the two: its pixels
/// and the encoded bytes need not be in memory together.
Bytes convolve_and_encode(const Job& job, std::optional<Source> source, std::optional<Image> picture,
                          const FilterOptions& options, RunReport& report) {
  const int rank = tensor_rank(job.shape, *source);
  const auto run_into = [&](const TensorRef& output) {
    const Stopwatch watch;
    convolve(job, *source, picture, options, output, report);
    report.convolve_seconds = watch.seconds();
    source.reset();
    picture.reset();
  };
  const auto encode = [&](const auto& work) { return timed(report.encode_seconds, work); };
  if (!job.format.is_tensor()) {
    Image image(job.dtype, *job.pixels, job.shape.h, job.shape.w);
    run_into(image.all());
    return encode([&] { return encode_image(std::move(image), *job.format.picture, options.encode); });
  }
  if (job.format.kind == FileFormat::Kind::npy) {
    NpyFile file = new_npy(job.shape, rank);
    run_into(file.values());
    return std::move(file.bytes);
  }
  RankedTensor tensor{.tensor = Tensor(job.dtype, job.shape), .rank = rank};
  run_into(tensor.tensor.ref());
  return encode([&] { return format_tensor_json(tensor); });
}

/// Whether what is written to `path` shows up on a terminal.
bool is_terminal(const std::string& path) {
  if (path == "-") return ::isatty(STDOUT_FILENO) == 1;
  std::error_code ignored;
  if (!std::filesystem::is_character_file(path, ignored)) return false;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  const bool is_one = descriptor >= 0 && ::isatty(descriptor) == 1;
  if (descriptor >= 0) ::close(descriptor);
  return is_one;
}

/// Whether --no-clobber has the input skipped: all of its files are there, and none goes to standard output. Then the
/// report says so.
bool is_skipped(const Destination& destination, const FilterOptions& options, RunReport& report) {
  if (!options.no_clobber || !exists(destination.path) ||
      !std::all_of(destination.layers.begin(), destination.layers.end(), exists))
    return false;
  report.output = destination.path;
  report.status = RunReport::Status::skipped;
  return true;
}

/// Whether pictures of integers give floats.
bool asks_for_floats(const FilterOptions& options) {
  return options.depth == DType::f32 || (options.edges && options.edges->is_signed());
}

}  // namespace

bool makes_grey(const FilterOptions& options) {
  return options.grey || (options.edges && options.edges->color == ColorRule::luma);
}

bool may_be_floats(const std::string& input, const FilterOptions& options) {
  const std::optional<FileFormat> format = find_file_format(std::filesystem::path(input).extension().string());
  return !format || format->holds_floats() || asks_for_floats(options);
}

void filter_file(const std::string& input, const Destination& destination, const RunContext& run, RunReport& report) {
  const FilterOptions& options = run.options;
  bool name_may_change = destination.derived && may_be_floats(input, options);
  if (!name_may_change && is_skipped(destination, options, report)) return;
  std::error_code ignored;
  if (input != "-" && std::filesystem::is_directory(input, ignored))
    throw Error(ErrorKind::input, input, "is a folder; name it as INPUT with --recursive to filter the pictures in it");
  const Stopwatch decoding;
  if (run.resume) {
    if (const std::optional<std::string> done = run.resume->find_done(input, destination)) {
      if (*done != destination.path) run.owners.refuse_others(*done, input);
      report.output = *done;
      report.status = RunReport::Status::skipped;
      report.up_to_date = true;
      return;
    }
  }
  std::unique_lock turn = run.budget.turn();
  std::optional<FileRecord> record = look_at_file(input);
  if (record && record->size > options.memory_limit) run.budget.refuse(record->size);
  const auto limit = static_cast<std::size_t>(options.memory_limit);
  Bytes file = read_file(input, limit, std::min(limit, kLargestStream));
  const SourceHeader header = read_source_header(file, input, options.max_pixels);
  name_may_change &= header.format.is_tensor() || !is_integer(header.dtype) || asks_for_floats(options);
  if (!name_may_change && is_skipped(destination, options, report)) return;
  report.memory = memory_needed(header, std::ssize(file), destination.format.value_or(header.format), options);
  const MemoryBudget::Share share = run.budget.take(*report.memory);
  turn.unlock();
  if (run.resume && record) record->digest = digest_of(file);
  Source source = decode_source(std::move(file), input, options.max_pixels);
  std::optional<Image> picture;
  if (options.edges && options.edges->kind == EdgeKind::overlay && !source.is_tensor()) picture = source.image();
  if (options.grey || (makes_grey(options) && !source.is_tensor())) source.make_grey();
  report.decode_seconds = decoding.seconds();
  report.warnings = source.remarks;

  const Job job = plan_job(source, destination, options);
  describe_job(job, source, options, report);
  if (job.destination.path != destination.path) {  // it took the extension of floats or of a tensor
    run.read.refuse_overwriting(job.destination.path);
    run.owners.refuse_others(job.destination.path, input);
    run.listed.refuse_output(job.destination.path, settled_path(job.destination.path));
  }
  if (is_skipped(job.destination, options, report)) return;
  if (options.dry_run) return;
  const bool binary = job.format.kind != FileFormat::Kind::json;
  if (binary && is_terminal(job.destination.path)) {
    throw Error(ErrorKind::output, "",
                std::string(job.format.name()) + " bytes are not written to a terminal; redirect them, or use -o FILE");
  }

  const Bytes bytes = convolve_and_encode(job, std::move(source), std::move(picture), options, report);
  const Stopwatch writing;
  if (job.destination.path == "-") {
    write_stdout(bytes);
  } else if (!options.no_clobber || !exists(job.destination.path)) {  // else a layer's file was missing
    if (job.destination.make_folder) make_folder_of(job.destination.path);
    write_file(job.destination.path, bytes);
    if (run.resume) run.resume->record(record, job.destination.path, bytes);
  }
  report.encode_seconds += writing.seconds();
}

}  // namespace convtool
