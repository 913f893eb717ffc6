#include "cli/filter.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "network/alpha.h"
#include "network/network_plan.h"

namespace convtool {
namespace {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::shape, "", message); }

/// The element type of the result. Floats stay floats, unless a map was asked for and the format has no room for them.
DType result_dtype(DType input, const FileFormat& format, const std::optional<DType>& depth, bool map_asked) {
  if (format.is_tensor()) {
    if (depth && *depth != DType::f32) {
      refuse("tensors are written as f32 (--depth " + std::string(to_string(*depth)) +
             " needs a picture format such as .png)");
    }
    return DType::f32;
  }
  if (depth) return *depth;
  return input == DType::f32 && map_asked && !format.holds_floats() ? DType::u8 : input;
}

/// How a picture of so many filtered channels is stored; nothing when no picture has that many.
std::optional<PixelFormat> result_pixels(std::int64_t channels, bool alpha_kept, bool alpha_filtered) {
  if (alpha_kept) {
    if (channels == 1) return PixelFormat::grey_alpha;
    return channels == 3 ? std::optional(PixelFormat::rgba) : std::nullopt;
  }
  switch (channels) {
    case 1: return PixelFormat::grey;
    case 2: return alpha_filtered ? std::optional(PixelFormat::grey_alpha) : std::nullopt;
    case 3: return PixelFormat::rgb;
    case 4: return PixelFormat::rgba;
    default: return std::nullopt;
  }
}

/// Throws unless `format` holds the result, with what would.
void check_holds(const FileFormat& format, const Shape& shape, DType dtype, const std::optional<PixelFormat>& pixels,
                 bool alpha_kept) {
  if (format.is_tensor()) return;
  const std::string name(format.name());
  if (shape.n > 1)
    refuse("the result is a batch of " + std::to_string(shape.n) + ", and " + name + " holds one picture; write .npy");
  if (pixels && holds(*format.picture, dtype, *pixels)) return;

  const std::string result = std::to_string(shape.c) + (shape.c == 1 ? " channel" : " channels") + " of " +
                             std::string(to_string(dtype)) + (alpha_kept ? " and alpha" : "");
  std::string remedy = "write ";
  for (const PictureFormat& other : picture_formats()) {
    if (pixels && holds(other, dtype, *pixels)) remedy += std::string(other.extensions.front()) + ", ";
  }
  remedy += "or .npy";
  if (remedy == "write or .npy") remedy = "write .npy";
  if (!pixels && shape.c > 1) remedy += ", or join the channels with --combine";
  if (pixels && dtype == DType::f32) remedy += ", or choose --depth u8 (with --map normalize to fit the range)";
  if (pixels && dtype == DType::u16 && !alpha_kept) remedy += ", or choose --depth u8";
  if (pixels && is_integer(dtype) && format.holds_floats()) remedy += ", or choose --depth f32";
  if (alpha_kept) remedy += ", or choose --alpha drop";
  refuse("the result has " + result + ", which " + name + " does not hold; " + remedy);
}

/// Throws where something is asked of an encoder that has no such thing.
void check_heeds(const FileFormat& format, const EncodeOptions& options) {
  const std::string name(format.name());
  const bool is_png = !format.is_tensor() && format.picture->name == "png";
  if (options.quality && (format.is_tensor() || !has_quality(*format.picture)))
    refuse("--quality is for jpeg and webp (got " + name + "); leave it out");
  if (options.png_level && !is_png) refuse("--png-level is for png (got " + name + "); leave it out");
  if (options.png_strategy && !is_png) refuse("--png-strategy is for png (got " + name + "); leave it out");
}

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

/// Everything about one input that is known before its first sum is computed.
struct Job {
  NetworkPlan plan;
  Destination destination;
  FileFormat format;
  Shape shape;  ///< of the result, an alpha that was set aside included
  DType dtype;
  std::optional<PixelFormat> pixels;  ///< for pictures
  bool alpha_kept;
  OutputMap map;
  bool map_asked;
};

/// The plan; where a kernel has a channel for the alpha that is set aside, the refusal says so.
NetworkPlan plan_network(const Source& source, const ConstTensorRef& x, const FilterOptions& options) {
  const Layer& first = options.network.banks.front().layers.front();
  const std::int64_t expected = first.shape.c_i_per_group * first.params.groups;
  if (source.has_alpha() && options.alpha == AlphaRule::keep && first.rank > 2 && expected == x.shape.c + 1) {
    refuse("the kernel's channels do not match the input (expected " + std::to_string(expected) + " channels, got " +
           std::to_string(x.shape.c) + ", alpha being set aside); say --alpha filter to count it as a channel");
  }
  PlanOptions plan = options.plan;
  plan.channels_last = x.shape.c > 1 && std::abs(x.strides.c) == 1;
  return NetworkPlan(options.network, x.dtype, x.shape, options.flip, plan);
}

Job plan_job(const Source& source, const Destination& asked, const FilterOptions& options) {
  const ConstTensorRef x = source.filtered_part(options.alpha);
  check_size(x.shape, options.max_pixels, "the input");
  NetworkPlan plan = plan_network(source, x, options);
  for (const BankPlan& bank : plan.banks()) check_size(bank.output_shape(), options.max_pixels, "the result");
  Shape shape = plan.output_shape();

  const Bank& last = options.network.banks.back();
  const OutputMap map = options.map.value_or(last.map.value_or(OutputMap::automatic));
  const bool map_asked = map != OutputMap::automatic;

  Destination destination = asked;
  if (!destination.format) destination.format = source.format;
  if (destination.derived && source.is_tensor()) destination = with_format(destination, source.format);
  const DType dtype = result_dtype(x.dtype, *destination.format, options.depth, map_asked);
  if (map == OutputMap::signs) shape.c = colours_of_signs(shape, dtype, *destination.format);
  if (destination.derived && dtype == DType::f32 && !destination.format->holds_floats()) {
    destination = with_format(destination, *find_file_format("tiff"));
  }
  const FileFormat format = *destination.format;

  const bool alpha_kept = source.has_alpha() && options.alpha == AlphaRule::keep;
  const bool alpha_filtered = source.has_alpha() && options.alpha == AlphaRule::filter;
  const std::optional<PixelFormat> pixels = result_pixels(shape.c, alpha_kept, alpha_filtered);
  check_holds(format, shape, dtype, pixels, alpha_kept);
  check_heeds(format, options.encode);
  shape.c += alpha_kept ? 1 : 0;
  return {std::move(plan), destination, format, shape, dtype, pixels, alpha_kept, resolve_map(map, last, dtype),
          map_asked};
}

BankReport describe_bank(const Bank& bank, const BankPlan& plan) {
  const ConvPlan& first = plan.plans().front();
  BankReport report{.name = bank.name,
                    .kernel_shape = bank.layers.front().dimensions(),
                    .per_channel = bank.layers.front().rank == 2,
                    .problem = first.problem(),
                    .combine = bank.combine,
                    .algorithm = std::string(first.algorithm()),
                    .instruction_set = std::string(instruction_set_in_use()),
                    .threads = first.threads()};
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
  if (job.map_asked || is_integer(job.dtype)) report.map = job.map;
  report.kernel_name = options.network.name;
  for (std::size_t i = 0; i < options.network.banks.size(); ++i) {
    report.banks.push_back(describe_bank(options.network.banks[i], job.plan.banks()[i]));
  }
  report.dry_run = options.dry_run;
}

/// Runs the plan into `output`, which has room for the alpha that was set aside behind the filtered channels.
ResponseStats convolve(const Job& job, const Source& source, AlphaRule alpha, const TensorRef& output) {
  const std::int64_t filtered = job.shape.c - (job.alpha_kept ? 1 : 0);
  const ResponseStats stats = job.plan.run(source.filtered_part(alpha), output.channels(0, filtered), job.map);
  if (job.alpha_kept) {
    ReceptiveField field;
    for (const BankPlan& bank : job.plan.banks()) field.append(bank.geometry().problems);
    resample_alpha(*source.image().alpha(), field, output.channels(filtered, 1));
  }
  return stats;
}

/// The number of dimensions of a tensor result: its input's, but a matrix has no room for several channels.
int tensor_rank(const Job& job, const Source& source) {
  return job.shape.c == 1 ? source.rank() : std::max(source.rank(), 3);
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
Bytes convolve_and_encode(const Job& job, std::optional<Source> source, const FilterOptions& options,
                          RunReport& report) {
  const int rank = tensor_rank(job, *source);
  const auto run_into = [&](const TensorRef& output) {
    report.stats = timed(report.convolve_seconds, [&] { return convolve(job, *source, options.alpha, output); });
    source.reset();
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

bool exists(const std::string& path) {
  std::error_code ignored;
  return path != "-" && std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

void make_folder_of(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::filesystem::create_directories(folder, failed);
  if (failed)
    throw Error(ErrorKind::output, folder.string(), "the folder cannot be created (" + failed.message() + ")");
}

}  // namespace

void filter_file(const std::string& input, const Destination& destination, const std::vector<std::string>& sources,
                 const FilterOptions& options, RunReport& report) {
  if (options.no_clobber && exists(destination.path)) {
    report.status = RunReport::Status::skipped;
    return;
  }
  const Stopwatch decoding;
  Source source = load_source(input, options.grey, options.max_pixels);
  report.decode_seconds = decoding.seconds();

  const Job job = plan_job(source, destination, options);
  describe_job(job, source, options, report);
  if (job.destination.path != destination.path) {  // it took another extension, for floats or a tensor
    refuse_overwriting(job.destination.path, sources);
    if (options.no_clobber && exists(job.destination.path)) {
      report.status = RunReport::Status::skipped;
      return;
    }
  }
  if (options.dry_run) return;
  const bool binary = job.format.kind != FileFormat::Kind::json;
  if (job.destination.path == "-" && binary && ::isatty(STDOUT_FILENO) == 1) {
    throw Error(ErrorKind::output, "",
                std::string(job.format.name()) + " bytes are not written to a terminal; redirect them, or use -o FILE");
  }

  const Bytes bytes = convolve_and_encode(job, std::move(source), options, report);
  const Stopwatch writing;
  if (job.destination.path == "-") {
    write_stdout(bytes);
  } else {
    if (job.destination.make_folder) make_folder_of(job.destination.path);
    write_file(job.destination.path, bytes);
  }
  report.encode_seconds += writing.seconds();
}

}  // namespace convtool
