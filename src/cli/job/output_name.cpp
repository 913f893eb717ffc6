#include "cli/job/output_name.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "cli/job/name_pattern.h"
#include "cli/job/output_file.h"
#include "cli/job/result_format.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "core/text.h"
#include "files/file.h"
#include "tensors/npz.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

FileFormat format_of_path(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) refuse_usage(path, "the output is a folder; give a file, or use --out-dir");
  const std::string extension = fs::path(path).extension().string();
  if (extension.empty()) {
    refuse_usage(path, "the output has no extension, which decides the format; use one of " + file_format_names());
  }
  const std::optional<FileFormat> format = find_file_format(extension);
  if (!format)
    refuse_usage(path, extension + " cannot be written; the formats are " + file_format_names() +
                           suggestion(extension.substr(1), file_format_words()));
  return *format;
}

/// Whether `path` is one of the names of standard output.
bool is_stdout(const std::string& path) {
  return path == "-" || path == "/dev/stdout" || path == "/dev/fd/1" || path == "/proc/self/fd/1";
}

/// Whether `path` is a stream without an extension, such as standard output, /dev/null or a shell's >(...).
bool is_nameless_stream(const std::string& path) { return fs::path(path).extension().empty() && is_stream(path); }

constexpr std::string_view kAsInput = "same";  // --format same

std::optional<FileFormat> format_by_name(const std::string& path) {
  return find_file_format(fs::path(path).extension().string());
}

/// The input's own format for tensors, videos and float pictures, else PNG.
FileFormat derived_format(const std::string& input) {
  if (has_extension(input, ".npz") || !split_array_path(input).array.empty()) return *find_file_format("npy");
  const std::optional<FileFormat> own = format_by_name(input);
  const bool only_floats = own && !own->is_tensor() && own->picture->dtypes == std::vector{DType::f32};
  if (own && (own->is_tensor() || own->is_video() || only_floats)) return *own;
  return *find_file_format("png");
}

/// The format of an output whose name does not say it, and the extension.
struct ChosenFormat {
  FileFormat format;
  std::string extension;  ///< with its dot
};

/// --format, by default derived_format(). `as_input` asks for the input's own, whose extension is kept as it is
/// spelled.
ChosenFormat choose_format(const std::string& input, const std::optional<FileFormat>& given, bool as_input) {
  const std::optional<FileFormat> own = format_by_name(input);
  if (as_input && own) return {*own, fs::path(input).extension().string()};
  const FileFormat format = given ? *given : derived_format(input);
  return {format, format.extension()};
}

/// The file whose name gives that of the output: FILE.ARRAY.npz for an array in FILE.npz.
fs::path file_of(const Input& input) {
  const auto [file, array] = split_array_path(input.path);
  if (array.empty()) return file == "-" ? "stdin" : file;
  const std::string extension = fs::path(file).extension().string();
  return fs::path(file).replace_extension("." + file_name_part(array) + (extension.empty() ? ".npz" : extension));
}

/// Replaces "." and "..", which name folders, by dashes.
std::string not_a_folder(std::string name) {
  if (name == "." || name == "..") std::fill(name.begin(), name.end(), '-');
  return name;
}

NameParts parts_of(const Input& input, const std::string& label, std::string_view extension) {
  const fs::path source = file_of(input);
  const std::string folder = source.parent_path().string();
  return {.dir = folder.empty() ? "." : folder,
          .stem = not_a_folder(source.stem().string()),
          .name = source.filename().string(),
          .kernel = not_a_folder(file_name_part(label)),
          .ext = extension.substr(1)};
}

/// Names for the outputs of a run.
class Namer {
 public:
  Namer(const DestinationOptions& options, std::string label)
      : options_(options),
        label_(std::move(label)),
        as_input_(options.format && in_small_letters(*options.format) == kAsInput),
        format_(given_format()),
        has_pattern_(options.output && is_pattern(*options.output)) {}

  Destination name(const Input& input) const {
    if (has_pattern_) return from_pattern(input);
    if (options_.output) return given_name();
    return derive(input);
  }

  /// The destination of a sheet.
  Destination name_sheet(const Input& input) const {
    const std::string& name = *options_.sheet;
    const FileFormat png = *find_file_format("png");
    if (is_stdout(name)) return {.path = "-", .format = png, .is_sheet = true};
    std::string filled = is_pattern(name) ? fill_in("--sheet", name, parts_of(input, label_, png.extension())) : name;
    const std::string path = with_number(filled, 1);
    if (filled == path) filled.clear();
    const FileFormat format = is_nameless_stream(path) ? png : format_of_path(path);
    if (format.is_tensor() || !holds(*format.picture, DType::u8, PixelFormat::rgb))
      refuse_usage("--sheet", "a sheet is a picture with colours of 8 bits, which " + std::string(format.name()) +
                                  " cannot store ('" + path + "'); write .png");
    return {.path = path, .format = format, .pattern = filled, .create_folder = is_pattern(name), .is_sheet = true};
  }

 private:
  std::optional<FileFormat> given_format() const {
    if (!options_.format || as_input_) return std::nullopt;
    const std::optional<FileFormat> format = find_file_format(*options_.format);
    if (!format)
      refuse_usage("--format", "unknown format '" + *options_.format + "' (expected same, or one of " +
                                   file_format_names() + ")" + suggestion(*options_.format, file_format_words()));
    return format;
  }

  Destination from_pattern(const Input& input) const {
    const std::string& pattern = *options_.output;
    const bool has_extension = !pattern.ends_with("{ext}");
    const ChosenFormat chosen = choose_format(input.path, format_, as_input_);
    std::string filled = fill_in("--output", pattern, parts_of(input, label_, chosen.extension));
    const std::string path = with_number(filled, 1);
    if (filled == path) filled.clear();
    return {.path = path,
            .format = format_of_path(path),
            .pattern = filled,
            .derived = !has_extension && !format_,
            .as_input = as_input_,
            .create_folder = true,
            .remark = remark_on(input.path)};
  }

  Destination derive(const Input& input) const {
    if (!input.has_file() && !options_.out_dir) return {.path = "-", .format = format_, .as_input = as_input_};
    const ChosenFormat chosen = choose_format(input.path, format_, as_input_);
    const fs::path source = file_of(input);
    const fs::path folder = options_.out_dir ? fs::path(*options_.out_dir) / input.folder : source.parent_path();
    const std::string name = source.stem().string() + "." + file_name_part(label_) + chosen.extension;
    return {.path = (folder / name).string(),
            .format = chosen.format,
            .derived = !format_,
            .as_input = as_input_,
            .create_folder = options_.out_dir.has_value(),
            .remark = remark_on(input.path)};
  }

  std::string remark_on(const std::string& input) const {
    const std::string extension = fs::path(split_array_path(input).file).extension().string();
    return !as_input_ || extension.empty() || find_file_format(extension)
               ? ""
               : extension + " is not the extension of a format that is written";
  }

  Destination given_name() const {
    const std::string path = is_stdout(*options_.output) ? "-" : *options_.output;
    const bool has_no_name = is_nameless_stream(path);
    if (!has_no_name && options_.format)
      refuse_usage("--format", "has no effect where --output has an extension ('" + path + "'); leave it out");
    return {.path = path, .format = has_no_name ? format_ : format_of_path(path), .as_input = as_input_};
  }

  const DestinationOptions& options_;
  const std::string label_;
  const bool as_input_;
  const std::optional<FileFormat> format_;
  const bool has_pattern_;
};

/// The files for the results of the layers of one input.
std::vector<std::string> layer_paths(const Input& input, const std::string& folder, const Network& network,
                                     const char* extension) {
  const fs::path source = file_of(input);
  std::vector<std::string> paths;
  for (const Bank& bank : network.banks) {
    const std::size_t number = paths.size() + 1;
    const std::string name = source.stem().string() + "." + (number < 10 ? "0" : "") + std::to_string(number) + "-" +
                             file_name_part(bank.name) + extension;
    paths.push_back((fs::path(folder) / input.folder / name).string());
  }
  return paths;
}

void add_sheet(const Destination& sheet, Destination& destination) {
  if (sheet.path == "-" && destination.path == "-")
    refuse_usage("--sheet", "standard output takes the result; name a file for the sheet, or leave out --output");
  destination.sheet = sheet.path;
  destination.sheet_pattern = sheet.pattern;
  destination.sheet_format = sheet.format;
  destination.create_sheet_folder = sheet.create_folder;
}

/// Throws Error(usage) for options that exclude each other or are empty.
void check_options(const DestinationOptions& options, bool pattern, std::size_t inputs) {
  if (options.output && options.out_dir) refuse_usage("--out-dir", "cannot be used together with --output; keep one");
  if (options.output && !pattern && inputs > 1)
    refuse_usage("--output", "names one file, but there are " + std::to_string(inputs) +
                                 " inputs; use --out-dir, or a name such as '{dir}/{stem}.{kernel}.{ext}'");
  if (options.output && options.output->empty())
    refuse_usage("--output", "is empty; give a file, or - for standard output");
  if (options.out_dir && options.out_dir->empty()) refuse_usage("--out-dir", "is empty; give a folder");
  if (options.dump_layers && options.dump_layers->empty()) refuse_usage("--dump-layers", "is empty; give a folder");
  if (options.sheet && options.sheet->empty()) refuse_usage("--sheet", "is empty; give a file");
  if (options.sheet && !is_pattern(*options.sheet) && inputs > 1)
    refuse_usage("--sheet", "names one file, but there are " + std::to_string(inputs) +
                                " inputs; use a name such as '{dir}/{stem}.sheet.png'");
  if (pattern && options.format && !options.output->ends_with("{ext}"))
    refuse_usage("--format", "has no effect where --output has an extension; leave it out, or end the name in {ext}");
}

Destination with_format(const Destination& destination, const FileFormat& format) {
  Destination result = destination;
  result.path = fs::path(destination.path).replace_extension(format.extension()).string();
  if (!destination.pattern.empty())
    result.pattern = fs::path(destination.pattern).replace_extension(format.extension()).string();
  result.format = format;
  return result;
}

/// The type and channels of a result.
struct StoredForm {
  DType dtype;
  std::optional<PixelFormat> pixels;  ///< none: no picture has such channels
};

/// The form in which the result for a picture would be stored in `format`, as planning chooses it.
StoredForm form_in(const FileFormat& format, const SourceHeader& header, const Forecast& forecast,
                   const FilterSpec& spec) {
  std::optional<EdgeRecipe> recipe;
  if (spec.edges) recipe = complete_recipe(spec, false, header.dtype, format);
  const bool is_signed = !recipe && spec.given_map() == OutputMap::signs;
  ResultChannels channels{.are_colours = is_signed || has_colours(header.shape.c > 2, spec, recipe),
                          .alpha_kept = header.has_alpha() && spec.alpha == AlphaRule::keep};
  if (is_signed)
    channels.count = kSignChannels;
  else if (recipe)
    channels.count = recipe->channels();
  else if (!forecast.responses.empty())  // else planning will say why
    channels.count = forecast.responses.back().c;
  channels.alpha_filtered = header.has_alpha() && !channels.alpha_kept && spec.alpha != AlphaRule::drop &&
                            keeps_channels(spec.network) && channels.count == forecast.filtered.c;
  return {.dtype = result_dtype(header.dtype, format, given_depth(spec, recipe), spec.is_map_given()),
          .pixels = result_pixels(channels)};
}

bool is_pnm(const FileFormat& format) {
  return !format.is_tensor() &&
         (format.picture->name == "pnm" || format.picture->name == "pgm" || format.picture->name == "ppm");
}

/// `planned` in the format of the input or, where that cannot store the result, in the first of PNG, TIFF and .npy that
/// can, with a remark.
Destination as_input(const Destination& planned, const SourceHeader& header, const Forecast& forecast,
                     const FilterSpec& spec) {
  const std::optional<FileFormat> named = planned.derived ? format_by_name(planned.path) : std::nullopt;
  FileFormat wanted = header.format;
  if (named && is_pnm(*named) && is_pnm(header.format)) wanted = *named;  // .pgm and .ppm rather than .pnm

  FileFormat chosen = wanted;
  if (!wanted.is_tensor()) {
    const auto stores = [&](const FileFormat& format) {
      if (format.is_tensor()) return true;
      const StoredForm form = form_in(format, header, forecast, spec);
      return form.pixels && holds(*format.picture, form.dtype, *form.pixels);
    };
    std::vector<FileFormat> candidates = {wanted, header.format};
    for (const char* name : {"png", "tiff", "npy"}) candidates.push_back(*find_file_format(name));
    chosen = *std::find_if(candidates.begin(), candidates.end(), stores);
  }

  const bool keeps_name = !planned.derived || (named && named->name() == chosen.name());
  Destination destination = keeps_name ? planned : with_format(planned, chosen);
  destination.format = chosen;
  if (chosen.name() != wanted.name()) {
    const StoredForm form = form_in(wanted, header, forecast, spec);
    destination.remark = std::string(wanted.name()) + " cannot store " +
                         (form.pixels ? std::string(to_string(*form.pixels)) : "such channels") + " in " +
                         std::string(to_string(form.dtype));
  }
  if (!destination.remark.empty()) destination.remark += "; the result is written as " + std::string(chosen.name());
  return destination;
}

}  // namespace

std::vector<std::string> Destination::other_files() const {
  std::vector<std::string> files = layers;
  files.insert(files.end(), layer_sheets.begin(), layer_sheets.end());
  if (!sheet.empty() && sheet != "-") files.push_back(sheet);
  return files;
}

bool Destination::is_stream() const { return convtool::is_stream(path); }

bool Destination::takes_several() const {
  return (is_stream() || !pattern.empty()) && other_files().empty() && sheet.empty();
}

Destination Destination::numbered(std::int64_t number) const {
  Destination result = *this;
  if (!pattern.empty()) result.path = with_number(pattern, number);
  if (!sheet_pattern.empty()) result.sheet = with_number(sheet_pattern, number);
  return result;
}

std::vector<Destination> name_outputs(const std::vector<Input>& inputs, const DestinationOptions& options,
                                      const Network& network) {
  check_options(options, options.output && is_pattern(*options.output), inputs.size());
  const Namer namer(options, options.label.value_or(network.name));
  std::vector<Destination> destinations;
  bool takes_stdout = false;
  for (const Input& input : inputs) {
    std::optional<Destination> sheet;
    if (options.sheet) sheet = namer.name_sheet(input);
    destinations.push_back(options.only_sheet() ? *sheet : namer.name(input));
    Destination& destination = destinations.back();
    if (destination.path == "-" && std::exchange(takes_stdout, true))
      refuse_usage("",
                   "standard output takes the result of one input; write files with --out-dir, or filter the inputs in "
                   "separate runs");
    if (sheet && !destination.is_sheet) add_sheet(*sheet, destination);
    if (options.dump_layers) destination.layers = layer_paths(input, *options.dump_layers, network, ".npy");
    if (options.dump_layers && sheet)
      destination.layer_sheets = layer_paths(input, *options.dump_layers, network, ".png");
  }
  return destinations;
}

bool may_change(const Destination& planned, const std::string& input, const FilterSpec& spec) {
  if (!planned.derived) return false;
  const std::optional<FileFormat> format = format_by_name(input);
  return planned.as_input || !format || format->holds_floats() || spec.makes_floats();
}

Destination final_name(const Destination& planned, const SourceHeader& header, const Forecast& forecast,
                       const FilterSpec& spec) {
  if (planned.as_input && !header.format.is_video()) return as_input(planned, header, forecast, spec);
  Destination destination = planned;
  if (!destination.format) {
    const bool is_lossy = !header.format.is_tensor() && header.format.picture->name == "jpeg";
    destination.format = spec.edges && is_lossy ? *find_file_format("png") : header.format;
    destination.follows_input = true;
  }
  if (!planned.derived || header.format.is_video()) return destination;
  if (header.format.is_tensor()) return with_format(destination, header.format);
  const bool is_tiff = header.format.picture->name == "tiff";
  if (is_tiff && spec.pages && spec.pages->last > spec.pages->first && planned.pattern.empty())
    destination = with_format(destination, header.format);
  // Floats stay floats, in the format of the input. The colours of signs, and masks, are integers in a PNG.
  const bool stays_float = header.dtype == DType::f32 && spec.given_map() != OutputMap::signs && !spec.threshold;
  const FileFormat& native = stays_float ? header.format : *destination.format;
  const StoredForm form = form_in(native, header, forecast, spec);
  if (form.dtype != DType::f32 || destination.format->holds_floats()) return destination;
  return with_format(destination, *find_file_format(form.pixels ? "tiff" : "npy"));
}

std::vector<std::string> possible_paths(const Destination& planned) {
  std::vector<std::string> paths = {planned.path};
  if (!planned.derived) return paths;
  std::vector<std::string_view> names = {"tiff", "npy", "json"};
  if (planned.as_input)
    for (const PictureFormat& format : picture_formats()) names.push_back(format.name);
  for (const std::string_view name : names) paths.push_back(with_format(planned, *find_file_format(name)).path);
  return paths;
}

bool may_become(const Destination& planned, const std::string& path) {
  const std::optional<FileFormat> format = find_file_format(fs::path(path).extension().string());
  if (!format || !format->holds_floats() || format->kind == FileFormat::Kind::json) return false;
  return format->is_tensor() || !planned.format->holds_floats();
}

std::string file_name_part(const std::string& kernel_name) {
  std::string part = replace_unsafe(kernel_name, '-');
  for (char& c : part) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                       c == '_' || c == '+' || c == '=' || static_cast<unsigned char>(c) >= 0x80;
    if (!plain) c = '-';
  }
  constexpr std::size_t kLongest = 100;  // file names have at most 255 bytes, and the stem needs room
  if (part.size() <= kLongest) return part;
  std::size_t end = kLongest;  // cut between UTF-8 characters
  while (end > 0 && (static_cast<unsigned char>(part[end]) & 0xC0) == 0x80) --end;
  return part.substr(0, end);
}

}  // namespace convtool
