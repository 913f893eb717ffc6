#include "cli/job/output_name.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "cli/job/output_file.h"
#include "cli/job/result_format.h"
#include "core/suggest.h"

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

/// Whether `path` is a device or pipe without an extension, such as /dev/null or a shell's >(...).
bool is_nameless_stream(const std::string& path) {
  std::error_code ignored;
  return fs::path(path).extension().empty() && fs::is_other(path, ignored);
}

/// The input's own format for tensors, videos and float pictures, else PNG.
FileFormat derived_format(const std::string& input) {
  const std::optional<FileFormat> own = find_file_format(fs::path(input).extension().string());
  const bool only_floats = own && !own->is_tensor() && own->picture->dtypes == std::vector{DType::f32};
  if (own && (own->is_tensor() || own->is_video() || only_floats)) return *own;
  return *find_file_format("png");
}

constexpr const char* kPatternWords = "{dir}, {stem}, {name}, {kernel}, {n}, {ext}, or {{ for {";

/// In the place of {n}; no name of a file has it.
constexpr char kNumber = '\0';

/// `pattern` with its places for numbers filled in. Names of several pictures sort by number.
std::string with_number(const std::string& pattern, std::int64_t number) {
  constexpr std::size_t kDigits = 4;
  std::string digits = std::to_string(number);
  digits.insert(0, kDigits - std::min(kDigits, digits.size()), '0');
  std::string name;
  for (const char c : pattern) c == kNumber ? name += digits : name += c;
  return name;
}

/// Fills in the words of an output name with {} for one input, except for the number; {{ and }} stand for { and }.
std::string filled_in(const char* option, const std::string& pattern, const Input& input,
                      const std::string& kernel_name, const FileFormat& format) {
  const fs::path source(input.path == "-" ? "stdin" : input.path);
  const std::string folder = source.parent_path().string();
  const std::pair<std::string_view, std::string> words[] = {
      {"dir", folder.empty() ? "." : folder},  {"stem", source.stem().string()}, {"name", source.filename().string()},
      {"kernel", file_name_part(kernel_name)}, {"n", std::string(1, kNumber)},   {"ext", format.extension().substr(1)}};
  std::string name;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] != '{' || pattern.substr(at, 2) == "{{") {
      name += pattern[at];
      if (pattern.substr(at, 2) == "{{" || pattern.substr(at, 2) == "}}") ++at;
      continue;
    }
    const std::size_t end = std::min(pattern.find('}', at), pattern.size());
    const std::string word = pattern.substr(at + 1, end - at - 1);
    const auto known = std::find_if(std::begin(words), std::end(words), [&](const auto& w) { return w.first == word; });
    if (end == pattern.size())
      refuse_usage(option,
                   "'" + pattern.substr(at) + "' in '" + pattern + "' has no } (expected " + kPatternWords + ")");
    if (known == std::end(words))
      refuse_usage(option, "unknown '{" + word + "}' in '" + pattern + "' (expected " + kPatternWords + ")" +
                               suggestion(word, {"dir", "stem", "name", "kernel", "n", "ext"}));
    name += known->second;
    at = end;
  }
  return name;
}

Destination from_pattern(const Input& input, const DestinationOptions& options, const std::string& kernel_name) {
  const std::string& pattern = *options.output;
  const bool derived = pattern.ends_with("{ext}");
  std::string filled = filled_in("--output", pattern, input, kernel_name, derived_format(input.path));
  const std::string path = with_number(filled, 1);
  if (filled == path) filled.clear();
  return {.path = path, .format = format_of_path(path), .pattern = filled, .derived = derived, .create_folder = true};
}

Destination derive(const Input& input, const DestinationOptions& options, const std::optional<FileFormat>& format,
                   const std::string& kernel_name) {
  if (input.path == "-" && !options.out_dir) return {.path = "-", .format = format};
  const FileFormat chosen = format ? *format : derived_format(input.path);
  const fs::path source(input.path == "-" ? "stdin" : input.path);
  const fs::path folder = options.out_dir ? fs::path(*options.out_dir) / input.folder : source.parent_path();
  const std::string name = source.stem().string() + "." + file_name_part(kernel_name) + chosen.extension();
  return {.path = (folder / name).string(),
          .format = chosen,
          .derived = !format,
          .create_folder = options.out_dir.has_value()};
}

/// The files for the results of the layers of one input.
std::vector<std::string> layer_paths(const Input& input, const std::string& folder, const Network& network,
                                     const char* extension) {
  const fs::path source(input.path == "-" ? "stdin" : input.path);
  std::vector<std::string> paths;
  for (const Bank& bank : network.banks) {
    const std::size_t number = paths.size() + 1;
    const std::string name = source.stem().string() + "." + (number < 10 ? "0" : "") + std::to_string(number) + "-" +
                             file_name_part(bank.name) + extension;
    paths.push_back((fs::path(folder) / input.folder / name).string());
  }
  return paths;
}

bool is_pattern(const std::string& name) { return name.find('{') != std::string::npos; }

/// The destination of a sheet.
Destination name_sheet(const std::string& name, const Input& input, const std::string& kernel_name) {
  const FileFormat png = *find_file_format("png");
  if (is_stdout(name)) return {.path = "-", .format = png, .is_sheet = true};
  std::string filled = is_pattern(name) ? filled_in("--sheet", name, input, kernel_name, png) : name;
  const std::string path = with_number(filled, 1);
  if (filled == path) filled.clear();
  const FileFormat format = is_nameless_stream(path) ? png : format_of_path(path);
  if (format.is_tensor() || !holds(*format.picture, DType::u8, PixelFormat::rgb))
    refuse_usage("--sheet", "a sheet is a picture with colours of 8 bits, which " + std::string(format.name()) +
                                " cannot store ('" + path + "'); write .png");
  return {.path = path, .format = format, .pattern = filled, .create_folder = is_pattern(name), .is_sheet = true};
}

void add_sheet(const Destination& sheet, Destination& destination) {
  if (sheet.path == "-" && destination.path == "-")
    refuse_usage("--sheet", "standard output takes the result; name a file for the sheet, or leave out --output");
  destination.sheet = sheet.path;
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
  if (pattern && options.format)
    refuse_usage("--format", "has no effect where --output has {}, whose extension decides; leave it out");
}

std::optional<FileFormat> given_format(const DestinationOptions& options) {
  if (!options.format) return std::nullopt;
  const std::optional<FileFormat> format = find_file_format(*options.format);
  if (!format)
    refuse_usage("--format", "unknown format '" + *options.format + "' (expected one of " + file_format_names() + ")" +
                                 suggestion(*options.format, file_format_words()));
  return format;
}

Destination given_name(const std::string& output, const std::optional<FileFormat>& format) {
  const std::string path = is_stdout(output) ? "-" : output;
  const bool is_stream = path == "-" || is_nameless_stream(path);
  if (!is_stream && format)
    refuse_usage("--format", "has no effect where --output has an extension ('" + path + "'); leave it out");
  return {.path = path, .format = is_stream ? format : format_of_path(path)};
}

Destination with_format(const Destination& destination, const FileFormat& format) {
  Destination result = destination;
  result.path = fs::path(destination.path).replace_extension(format.extension()).string();
  if (!destination.pattern.empty())
    result.pattern = fs::path(destination.pattern).replace_extension(format.extension()).string();
  result.format = format;
  return result;
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
  return result;
}

std::vector<Destination> name_outputs(const std::vector<Input>& inputs, const DestinationOptions& options,
                                      const Network& network) {
  const bool pattern = options.output && is_pattern(*options.output);
  check_options(options, pattern, inputs.size());
  const std::optional<FileFormat> format = given_format(options);
  std::vector<Destination> destinations;
  for (const Input& input : inputs) {
    std::optional<Destination> sheet;
    if (options.sheet) sheet = name_sheet(*options.sheet, input, network.name);
    destinations.push_back(options.only_sheet() ? *sheet
                           : pattern            ? from_pattern(input, options, network.name)
                           : options.output     ? given_name(*options.output, format)
                                                : derive(input, options, format, network.name));
    Destination& destination = destinations.back();
    if (sheet && !destination.is_sheet) add_sheet(*sheet, destination);
    if (options.dump_layers) destination.layers = layer_paths(input, *options.dump_layers, network, ".npy");
    if (options.dump_layers && sheet)
      destination.layer_sheets = layer_paths(input, *options.dump_layers, network, ".png");
  }
  return destinations;
}

bool may_change(const Destination& planned, const std::string& input, const FilterSpec& spec) {
  if (!planned.derived) return false;
  const std::optional<FileFormat> format = find_file_format(fs::path(input).extension().string());
  return !format || format->holds_floats() || spec.makes_floats();
}

Destination final_name(const Destination& planned, const SourceHeader& header, const Forecast& forecast,
                       const FilterSpec& spec) {
  Destination destination = planned;
  if (!destination.format) {
    const bool is_lossy = !header.format.is_tensor() && header.format.picture->name == "jpeg";
    destination.format = spec.edges && is_lossy ? *find_file_format("png") : header.format;
  }
  if (!planned.derived || header.format.is_video()) return destination;
  if (header.format.is_tensor()) return with_format(destination, header.format);
  const bool is_tiff = header.format.picture->name == "tiff";
  if (is_tiff && spec.pages && spec.pages->last > spec.pages->first && planned.pattern.empty())
    destination = with_format(destination, header.format);

  std::optional<EdgeRecipe> recipe;
  if (spec.edges) recipe = complete_recipe(spec, false, header.dtype, *destination.format);
  const DType dtype = result_dtype(header.dtype, *destination.format, given_depth(spec, recipe), spec.is_map_given());
  if (dtype != DType::f32 || destination.format->holds_floats()) return destination;
  const std::int64_t channels = recipe                       ? recipe->channels()
                                : forecast.responses.empty() ? 1  // planning will say why
                                                             : forecast.responses.back().c;
  const ResultChannels counted{.count = channels, .are_colours = has_colours(header.shape.c > 2, spec, recipe)};
  const bool is_picture = result_pixels(counted).has_value();
  return with_format(destination, *find_file_format(is_picture ? "tiff" : "npy"));
}

std::vector<std::string> possible_paths(const Destination& planned) {
  std::vector<std::string> paths = {planned.path};
  if (planned.derived)
    for (const char* format : {"tiff", "npy", "json"})
      paths.push_back(with_format(planned, *find_file_format(format)).path);
  return paths;
}

bool may_become(const Destination& planned, const std::string& path) {
  const std::optional<FileFormat> format = find_file_format(fs::path(path).extension().string());
  if (!format || !format->holds_floats() || format->kind == FileFormat::Kind::json) return false;
  return format->is_tensor() || !planned.format->holds_floats();
}

std::string file_name_part(const std::string& kernel_name) {
  std::string part = kernel_name;
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
