#include "cli/filter.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <variant>

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

void describe_banks(const FilterOptions& options, const NetworkPlan& plan, RunReport& report) {
  report.kernel_name = options.network.name;
  for (std::size_t i = 0; i < plan.banks().size(); ++i) {
    const Bank& bank = options.network.banks[i];
    const ConvPlan& first = plan.banks()[i].plans().front();
    BankReport entry{.name = bank.name,
                     .kernel_shape = bank.layers.front().dimensions(),
                     .per_channel = bank.layers.front().rank == 2,
                     .problem = first.problem(),
                     .combine = bank.combine,
                     .algorithm = std::string(first.algorithm()),
                     .threads = first.threads()};
    if (bank.layers.size() > 1)
      entry.kernel_shape.insert(entry.kernel_shape.begin(), static_cast<std::int64_t>(bank.layers.size()));
    report.banks.push_back(std::move(entry));
  }
}

ReceptiveField receptive_field(const NetworkPlan& plan) {
  ReceptiveField field;
  for (const BankPlan& bank : plan.banks()) field.append(bank.plans().front().problem());
  return field;
}

void write_result(const std::string& path, const Bytes& bytes) {
  if (path == "-")
    write_stdout(bytes);
  else
    write_file(path, bytes);
}

}  // namespace

void filter_file(const std::string& input, const Destination& asked, const std::vector<std::string>& inputs,
                 const FilterOptions& options, RunReport& report) {
  Stopwatch decoding;
  const Source source = load_source(input, options.grey, options.max_pixels);
  report.decode_seconds = decoding.seconds();

  const ConstTensorRef x = source.filtered_part(options.alpha);
  check_size(x.shape, options.max_pixels, "the input");
  const NetworkPlan plan(options.network, x.dtype, x.shape, options.flip, options.plan);
  const Shape shape = plan.output_shape();
  for (const BankPlan& bank : plan.banks()) check_size(bank.output_shape(), options.max_pixels, "the result");

  const Bank& last = options.network.banks.back();
  const OutputMap asked_map = options.map == OutputMap::automatic && last.map ? *last.map : options.map;
  const bool map_asked = asked_map != OutputMap::automatic;
  Destination destination = asked;
  if (!destination.format) destination.format = source.format;
  DType dtype = result_dtype(x.dtype, *destination.format, options.depth, map_asked);
  if (destination.derived && dtype == DType::f32 && !destination.format->holds_floats()) {
    destination = with_format(destination, *find_file_format("tiff"));
    refuse_overwriting(destination.path, inputs);
  }
  const FileFormat format = *destination.format;

  const bool alpha_kept = source.has_alpha() && options.alpha == AlphaRule::keep;
  const bool alpha_filtered = source.has_alpha() && options.alpha == AlphaRule::filter;
  const std::optional<PixelFormat> pixels = result_pixels(shape.c, alpha_kept, alpha_filtered);
  check_holds(format, shape, dtype, pixels, alpha_kept);
  if (destination.path == "-" && format.kind != FileFormat::Kind::json && ::isatty(STDOUT_FILENO) == 1 &&
      !options.dry_run) {
    throw Error(ErrorKind::output, "",
                std::string(format.name()) + " bytes are not written to a terminal; redirect them, or use -o FILE");
  }
  const OutputMap map = resolve_map(asked_map, last, dtype);

  Shape whole = shape;
  whole.c += alpha_kept ? 1 : 0;
  report.output = destination.path;
  report.input_shape = source.shape();
  report.input_rank = source.rank();
  report.input_dtype = x.dtype;
  report.output_shape = whole;
  report.output_rank = std::max(source.rank(), shape.n > 1 ? 4 : 3);
  report.output_dtype = dtype;
  if (map_asked || is_integer(dtype)) report.map = map;
  describe_banks(options, plan, report);
  report.dry_run = options.dry_run;
  if (options.dry_run) return;

  std::variant<RankedTensor, Image> result =
      format.is_tensor()
          ? std::variant<RankedTensor, Image>(RankedTensor{
                .tensor = Tensor(dtype, whole), .rank = whole.c == 1 ? source.rank() : std::max(source.rank(), 3)})
          : std::variant<RankedTensor, Image>(Image(dtype, *pixels, shape.h, shape.w));
  const TensorRef all =
      format.is_tensor() ? std::get<RankedTensor>(result).tensor.ref() : std::get<Image>(result).all();
  Stopwatch convolving;
  report.stats = plan.run(x, all.channels(0, shape.c), map);
  if (alpha_kept) resample_alpha(*source.image().alpha(), receptive_field(plan), all.channels(shape.c, 1));
  report.convolve_seconds = convolving.seconds();

  Stopwatch encoding;
  const Bytes bytes = format.kind == FileFormat::Kind::npy    ? format_npy(std::get<RankedTensor>(result))
                      : format.kind == FileFormat::Kind::json ? format_tensor_json(std::get<RankedTensor>(result))
                                                              : encode_image(std::get<Image>(result), *format.picture);
  write_result(destination.path, bytes);
  report.encode_seconds = encoding.seconds();
}

}  // namespace convtool
