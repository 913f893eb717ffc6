#include "cli/job/destination.h"

#include <algorithm>
#include <filesystem>

#include "cli/batch/output_check.h"
#include "core/suggest.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& where, const std::string& message) {
  throw Error(ErrorKind::usage, where, message);
}

FileFormat format_of_path(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) refuse(path, "the output is a folder; give a file, or use --out-dir");
  const std::string extension = fs::path(path).extension().string();
  if (extension.empty()) {
    refuse(path, "the output has no extension to tell its format; use one of " + file_format_names());
  }
  const std::optional<FileFormat> format = find_file_format(extension);
  if (!format)
    refuse(path, extension + " cannot be written; the formats are " + file_format_names() +
                     suggestion(extension.substr(1), file_format_words()));
  return *format;
}

/// The names by which systems know standard output.
bool is_stdout(const std::string& path) {
  return path == "-" || path == "/dev/stdout" || path == "/dev/fd/1" || path == "/proc/self/fd/1";
}

/// Whether `path` is a device or pipe whose name tells no format, such as /dev/null or what a shell puts for >(...).
bool is_nameless_stream(const std::string& path) {
  std::error_code ignored;
  return fs::path(path).extension().empty() && fs::is_other(path, ignored);
}

/// The extension of the input where its format is kept, else png.
FileFormat derived_format(const std::string& input) {
  const std::optional<FileFormat> own = find_file_format(fs::path(input).extension().string());
  const bool only_floats = own && !own->is_tensor() && own->picture->dtypes == std::vector{DType::f32};
  if (own && (own->is_tensor() || only_floats)) return *own;
  return *find_file_format("png");
}

constexpr const char* kPatternWords = "{dir}, {stem}, {name}, {kernel}, {ext}, or {{ for {";

/// The words of an output name with {}, for one input; {{ and }} stand for { and }.
std::string filled_in(const std::string& pattern, const Input& input, const std::string& kernel_name,
                      const FileFormat& format) {
  const fs::path source(input.path == "-" ? "stdin" : input.path);
  const std::string folder = source.parent_path().string();
  const std::pair<std::string_view, std::string> words[] = {{"dir", folder.empty() ? "." : folder},
                                                            {"stem", source.stem().string()},
                                                            {"name", source.filename().string()},
                                                            {"kernel", file_name_part(kernel_name)},
                                                            {"ext", format.extension().substr(1)}};
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
      refuse("--output", "'" + pattern.substr(at) + "' in '" + pattern + "' has no } (expected " + kPatternWords + ")");
    if (known == std::end(words))
      refuse("--output", "unknown '{" + word + "}' in '" + pattern + "' (expected " + kPatternWords + ")" +
                             suggestion(word, {"dir", "stem", "name", "kernel", "ext"}));
    name += known->second;
    at = end;
  }
  return name;
}

Destination from_pattern(const Input& input, const DestinationOptions& options, const std::string& kernel_name) {
  const std::string& pattern = *options.output;
  const bool derived = pattern.ends_with("{ext}");
  const std::string path = filled_in(pattern, input, kernel_name, derived_format(input.path));
  return {.path = path, .format = format_of_path(path), .derived = derived, .make_folder = true};
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
          .make_folder = options.out_dir.has_value()};
}

/// Files of what the layers make, for one input.
std::vector<std::string> layer_paths(const Input& input, const std::string& folder, const Network& network) {
  const fs::path source(input.path == "-" ? "stdin" : input.path);
  std::vector<std::string> paths;
  for (const Bank& bank : network.banks) {
    const std::size_t number = paths.size() + 1;
    const std::string name = source.stem().string() + "." + (number < 10 ? "0" : "") + std::to_string(number) + "-" +
                             file_name_part(bank.name) + ".npy";
    paths.push_back((fs::path(folder) / input.folder / name).string());
  }
  return paths;
}

}  // namespace

std::string file_name_part(const std::string& kernel_name) {
  std::string part = kernel_name;
  for (char& c : part) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                       c == '_' || c == '+' || c == '=' || static_cast<unsigned char>(c) >= 0x80;
    if (!plain) c = '-';
  }
  constexpr std::size_t kLongest = 100;  // file names end at 255 bytes, and the stem needs room
  if (part.size() <= kLongest) return part;
  std::size_t end = kLongest;  // not inside a character of UTF-8
  while (end > 0 && (static_cast<unsigned char>(part[end]) & 0xC0) == 0x80) --end;
  return part.substr(0, end);
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return path != "-" && fs::exists(fs::symlink_status(path, ignored)) && !fs::is_other(path, ignored);
}

void make_folder_of(const std::string& path) {
  std::error_code failed;
  const fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) return;
  fs::create_directories(folder, failed);
  if (failed)
    throw Error(ErrorKind::output, folder.string(), "the folder cannot be created (" + failed.message() + ")");
}

Destination with_format(const Destination& destination, const FileFormat& format) {
  Destination result = destination;
  result.path = fs::path(destination.path).replace_extension(format.extension()).string();
  result.format = format;
  return result;
}

std::vector<Destination> plan_destinations(const std::vector<Input>& inputs, const ReadFiles& read,
                                           const DestinationOptions& options, const Network& network,
                                           Folders& folders) {
  if (options.output && options.out_dir) refuse("--out-dir", "cannot stand beside --output; keep one");
  const bool pattern = options.output && options.output->find('{') != std::string::npos;
  if (options.output && !pattern && inputs.size() > 1)
    refuse("--output", "names one file, but there are " + std::to_string(inputs.size()) +
                           " inputs; use --out-dir, or a name such as '{dir}/{stem}.{kernel}.{ext}'");
  std::optional<FileFormat> format;
  if (options.format) {
    format = find_file_format(*options.format);
    if (!format)
      refuse("--format", "unknown format '" + *options.format + "' (expected one of " + file_format_names() + ")" +
                             suggestion(*options.format, file_format_words()));
  }

  const std::string& kernel_name = network.name;
  std::vector<Destination> destinations;
  if (pattern) {
    if (options.format) refuse("--format", "cannot stand beside an --output with {}, whose extension decides");
    for (const Input& input : inputs) destinations.push_back(from_pattern(input, options, kernel_name));
  } else if (options.output) {
    const std::string path = is_stdout(*options.output) ? "-" : *options.output;
    if (path.empty()) refuse("--output", "is empty; give a file, or - for standard output");
    const bool is_stream = path == "-" || is_nameless_stream(path);
    if (!is_stream && options.format)
      refuse("--format",
             "is for standard output, devices and derived names; here the extension of '" + path + "' decides");
    destinations.push_back({.path = path, .format = is_stream ? format : format_of_path(path)});
  } else {
    if (options.out_dir && options.out_dir->empty()) refuse("--out-dir", "is empty; give a folder");
    for (const Input& input : inputs) destinations.push_back(derive(input, options, format, kernel_name));
  }
  std::error_code ignored;
  if (options.out_dir && fs::exists(*options.out_dir, ignored) && !fs::is_directory(*options.out_dir, ignored)) {
    refuse(*options.out_dir, "is not a folder; --out-dir takes a folder, --output a file");
  }
  if (options.dump_layers) {
    if (options.dump_layers->empty()) refuse("--dump-layers", "is empty; give a folder");
    for (std::size_t i = 0; i < inputs.size(); ++i)
      destinations[i].layers = layer_paths(inputs[i], *options.dump_layers, network);
  }
  const auto check = [&](const Destination& destination) {
    folders.check(destination);
    read.refuse_overwriting(destination.path, folders.settle(destination.path));
  };
  for (const Destination& destination : destinations) {
    if (destination.path != "-") check(destination);
    for (const std::string& path : destination.layers) check({.path = path, .format = {}, .make_folder = true});
  }
  return destinations;
}

}  // namespace convtool
