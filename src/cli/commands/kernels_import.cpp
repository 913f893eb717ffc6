// convtool kernels import: kernel files from the arrays of a trained network.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "cli/app.h"
#include "cli/batch/destinations.h"
#include "cli/commands/kernels_commands.h"
#include "cli/job/output_file.h"
#include "cli/terminal/terminal.h"
#include "core/suggest.h"
#include "core/text.h"
#include "files/file.h"
#include "kernels/files/kernel_writer.h"
#include "kernels/files/weight_file.h"
#include "tensors/safetensors.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

struct ImportOptions {
  std::string file;
  std::vector<std::string> names;
  std::optional<std::string> out_dir;
  bool all = false, no_clobber = false;
};

constexpr const char* kFooter =
    R"(Without names it lists the arrays of the file. The kernel files hold the names of arrays, not their numbers:
the safetensors file has to stay where it is.

Examples:
  convtool kernels import model.safetensors
  convtool kernels import model.safetensors conv1 --out-dir kernels      kernels/conv1.json, with its bias
  convtool kernels import model.safetensors --all --out-dir kernels
  convtool apply photo.png -k kernels/conv1.json --map normalize -o maps.npy)";

constexpr std::string_view kWeight = ".weight", kBias = ".bias";

/// "conv1" of "conv1.weight".
std::string kernel_name(const StoredArray& array) {
  return array.name.ends_with(kWeight) ? array.name.substr(0, array.name.size() - kWeight.size()) : array.name;
}

/// Why an array is no kernel, or "".
std::string objection(const StoredArray& array) {
  if (array.shape.size() != 4)
    return "has rank " + std::to_string(array.shape.size()) + " (expected 4: [c_o][c_i/groups][kh][kw], as nn.Conv2d)";
  if (!is_readable_dtype(array.dtype)) return "is of type " + array.dtype + ", which is not read";
  if (array.count() < 1) return "is empty";
  if (array.count() > kMostReferredWeights)
    return "is too large (at most " + std::to_string(kMostReferredWeights) + " weights)";
  return "";
}

/// The bias that belongs to a kernel by its name, whether it fits or not. Null: none.
const StoredArray* bias_of(const SafetensorsFile& file, const StoredArray& array) {
  return array.name.ends_with(kWeight) ? file.find(kernel_name(array) + std::string(kBias)) : nullptr;
}

/// Why a kernel cannot have this bias, or "".
std::string bias_objection(const StoredArray& bias, const StoredArray& array) {
  if (bias.shape != std::vector{array.shape.front()})
    return "has the shape " + (bias.shape.empty() ? "of one number" : join_sizes(bias.shape)) + " (expected " +
           std::to_string(array.shape.front()) + ", one for each output channel)";
  return is_readable_dtype(bias.dtype) ? "" : "is of type " + bias.dtype + ", which is not read";
}

/// "a kernel, with conv1.bias", or "".
std::string role(const SafetensorsFile& file, const StoredArray& array) {
  if (!objection(array).empty()) return "";
  const StoredArray* bias = bias_of(file, array);
  if (bias == nullptr) return "a kernel";
  const bool fits = bias_objection(*bias, array).empty();
  return std::string("a kernel, ") + (fits ? "with " : "but not with ") + printable(bias->name);
}

std::string list_text(const SafetensorsFile& file) {
  std::vector<std::array<std::string, 4>> rows;
  std::array<std::size_t, 3> widths{};
  for (const StoredArray& array : file.arrays()) {
    rows.push_back({printable(array.name), printable(array.dtype), join_sizes(array.shape), role(file, array)});
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], rows.back()[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    line += row.back();
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

/// The array called `name`, or `name`.weight.
const StoredArray& find_kernel(const SafetensorsFile& file, const std::string& path, const std::string& name) {
  const StoredArray* array = file.find(name);
  if (array == nullptr) array = file.find(name + std::string(kWeight));
  if (array == nullptr) {
    std::vector<std::string> names;
    for (const StoredArray& each : file.arrays()) names.push_back(kernel_name(each));
    const std::string hint = suggestion(name, {names.begin(), names.end()});
    throw Error(ErrorKind::usage, path,
                "holds no '" + name + "'" + (hint.empty() ? "; give no name, and what it holds is listed" : hint));
  }
  const std::string why_not = objection(*array);
  if (!why_not.empty()) throw Error(ErrorKind::usage, path, "'" + array->name + "' " + why_not);
  return *array;
}

std::vector<const StoredArray*> selected_arrays(const SafetensorsFile& file, const ImportOptions& options) {
  std::vector<const StoredArray*> selected;
  for (const std::string& name : options.names) selected.push_back(&find_kernel(file, options.file, name));
  if (options.all)
    for (const StoredArray& array : file.arrays())
      if (objection(array).empty()) selected.push_back(&array);
  if (selected.empty())
    throw Error(
        ErrorKind::usage, options.file,
        "holds no array that can be a kernel: of rank 4, as nn.Conv2d's, not empty, of a type that is read; give "
        "no --all, and what it holds is listed");
  return selected;
}

/// The safetensors file as kernel files in `folder` name it.
std::string path_from(const std::string& folder, const std::string& file) {
  const auto settled = [](const std::string& path) { return fs::path(settled_path(path.empty() ? "." : path)); };
  const fs::path source(file);
  return (settled(source.parent_path().string()) / source.filename()).lexically_relative(settled(folder)).string();
}

/// A kernel file that is to be written.
struct KernelFile {
  std::string path, array, bias, content;
  std::string warning;  ///< of a bias that is left out; or ""
};

/// "conv1.json" for conv1.weight.
std::string file_name(const std::string& kernel, const StoredArray& array) {
  if (kernel.empty())
    throw Error(
        ErrorKind::usage, "'" + array.name + "'",
        "leaves no name for a kernel file; write one that says \"weight\": \"FILE.safetensors#" + array.name + "\"");
  return file_name_part(kernel) + ".json";
}

std::vector<KernelFile> plan_kernels(const SafetensorsFile& file, const ImportOptions& options) {
  const std::string folder = options.out_dir.value_or("");
  const std::string model = path_from(folder, options.file);
  constexpr std::string_view kInside = ".safetensors#";
  if (in_small_letters(model).find(kInside) != std::string::npos)
    throw Error(ErrorKind::usage, options.file,
                "a folder on the way to it is called so that kernels cannot refer to it (" + std::string(kInside) +
                    "); rename the folder");
  const ReadFiles read({options.file});
  std::map<std::string, std::string> seen;  // arrays, by the path of their kernels
  std::vector<KernelFile> kernels;
  for (const StoredArray* array : selected_arrays(file, options)) {
    const StoredArray* bias = bias_of(file, *array);
    const std::string name = kernel_name(*array), path = (fs::path(folder) / file_name(name, *array)).string();
    const auto [at, fresh] = seen.emplace(path, array->name);
    if (!fresh)
      throw Error(ErrorKind::usage, path,
                  "would be written for '" + at->second + "' and for '" + array->name +
                      "'; import them into different folders, by name");
    const std::string bias_problem = bias == nullptr ? "" : bias_objection(*bias, *array);
    const std::string warning = bias_problem.empty() ? "" : bias->name + " " + bias_problem + "; it is left out";
    if (!bias_problem.empty()) bias = nullptr;
    check_output(path, true, read);
    const KernelReference reference{.name = name,
                                    .description = array->name + " of " + fs::path(options.file).filename().string(),
                                    .weight = model + "#" + array->name,
                                    .bias = bias == nullptr ? "" : model + "#" + bias->name};
    kernels.push_back({.path = path,
                       .array = array->name,
                       .bias = bias == nullptr ? "" : bias->name,
                       .content = format_kernel_reference(reference),
                       .warning = warning});
  }
  return kernels;
}

int run_import(const ImportOptions& options) {
  if (!has_extension(options.file, ".safetensors"))
    throw Error(ErrorKind::usage, options.file, "is no safetensors file by its name; rename it to end in .safetensors");
  if (options.all && !options.names.empty())
    throw Error(ErrorKind::usage, "--all", "takes every kernel there is; leave out the names");
  const bool lists = options.names.empty() && !options.all;
  if (lists && (options.out_dir || options.no_clobber))
    throw Error(ErrorKind::usage, options.out_dir ? "--out-dir" : "--no-clobber",
                "is for kernel files; name arrays to import, or say --all");
  const SafetensorsFile file(options.file);
  if (lists) {
    print(list_text(file));
    return kExitDone;
  }
  for (const KernelFile& kernel : plan_kernels(file, options)) {
    if (options.no_clobber && exists(kernel.path)) {
      print(printable(kernel.path + " skipped: it exists") + "\n");
      continue;
    }
    if (!kernel.warning.empty())
      print_error("convtool: warning: " + printable(options.file + ": " + kernel.warning) + "\n");
    create_folder_of(kernel.path);
    write_file(kernel.path, std::as_bytes(std::span(kernel.content)));
    print(printable(kernel.array + (kernel.bias.empty() ? "" : " and " + kernel.bias) + " -> " + kernel.path) + "\n");
  }
  return kExitDone;
}

}  // namespace

void add_kernels_import(CLI::App& command, Action& action) {
  auto options = std::make_shared<ImportOptions>();
  command.footer(kFooter);
  command.add_option("FILE", options->file, "a .safetensors file")->required();
  command.add_option("NAME", options->names, "arrays to make kernel files of: conv1.weight, or conv1");
  command.add_flag("--all", options->all, "every array that is a kernel");
  command.add_option("--out-dir", options->out_dir, "folder for the kernel files, created if missing (.)")
      ->type_name("DIR");
  command.add_flag("-n,--no-clobber", options->no_clobber, "leave kernel files that exist as they are");
  command.callback([options, &action] { action = [options] { return run_import(*options); }; });
}

}  // namespace convtool
