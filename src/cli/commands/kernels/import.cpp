// convtool kernels import: write kernel files for the arrays of a trained network.

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "cli/batch/destinations.h"
#include "cli/commands/kernels/kernels.h"
#include "cli/exit_code.h"
#include "cli/job/output_file.h"
#include "cli/terminal/terminal.h"
#include "core/suggest.h"
#include "core/printable.h"
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

constexpr std::string_view kImportText =
    "Lists the arrays of a safetensors file. With names or --all, writes a kernel file for each array instead. Kernel "
    "files refer to the arrays by name and do not copy their numbers, so the safetensors file must stay where it is.";

constexpr std::string_view kImportExamples = R"(  convtool kernels import model.safetensors
  convtool kernels import model.safetensors conv1 --out-dir kernels
  convtool kernels import model.safetensors --all --out-dir kernels
  convtool apply a.png -k kernels/conv1.json --map normalize -o maps.npy)";

constexpr std::string_view kWeight = ".weight", kBias = ".bias";

/// "conv1" of "conv1.weight".
std::string kernel_name(const StoredArray& array) {
  return array.name.ends_with(kWeight) ? array.name.substr(0, array.name.size() - kWeight.size()) : array.name;
}

/// Why an array cannot be a kernel; "" if it can.
std::string objection(const StoredArray& array) {
  if (array.shape.size() != 4)
    return "has rank " + std::to_string(array.shape.size()) + " (expected 4: [c_o][c_i/groups][kh][kw], as nn.Conv2d)";
  if (!is_readable_dtype(array.dtype)) return "has type " + array.dtype + ", which convtool does not read";
  if (array.count() < 1) return "is empty";
  if (array.count() > kMostReferredWeights)
    return "is too large (at most " + std::to_string(kMostReferredWeights) + " weights)";
  return "";
}

/// The array that is the bias of a kernel by its name, even if it does not fit; or null.
const StoredArray* bias_of(const SafetensorsFile& file, const StoredArray& array) {
  return array.name.ends_with(kWeight) ? file.find(kernel_name(array) + std::string(kBias)) : nullptr;
}

/// Why a kernel cannot have this bias; "" if it can.
std::string bias_objection(const StoredArray& bias, const StoredArray& array) {
  if (bias.shape != std::vector{array.shape.front()})
    return "has the shape " + (bias.shape.empty() ? "of one number" : join_sizes(bias.shape)) + " (expected " +
           std::to_string(array.shape.front()) + ", one per output channel)";
  return is_readable_dtype(bias.dtype) ? "" : "has type " + bias.dtype + ", which convtool does not read";
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
    refuse_usage(
        path, "there is no array '" + name + "'" + (hint.empty() ? "; leave out the names to list the arrays" : hint));
  }
  const std::string why_not = objection(*array);
  if (!why_not.empty()) refuse_usage(path, "'" + array->name + "' " + why_not);
  return *array;
}

std::vector<const StoredArray*> selected_arrays(const SafetensorsFile& file, const ImportOptions& options) {
  std::vector<const StoredArray*> selected;
  for (const std::string& name : options.names) selected.push_back(&find_kernel(file, options.file, name));
  if (options.all)
    for (const StoredArray& array : file.arrays())
      if (objection(array).empty()) selected.push_back(&array);
  if (selected.empty())
    refuse_usage(
        options.file,
        "no array can be a kernel (expected rank 4, as nn.Conv2d's weights); leave out --all to list the arrays");
  return selected;
}

/// The path of the safetensors file, relative to kernel files in `folder`.
std::string path_from(const std::string& folder, const std::string& file) {
  const auto settled = [](const std::string& path) { return fs::path(settled_path(path.empty() ? "." : path)); };
  const fs::path source(file);
  return (settled(source.parent_path().string()) / source.filename()).lexically_relative(settled(folder)).string();
}

/// A kernel file to be written.
struct KernelFile {
  std::string path, array, bias, content;
  std::string warning;  ///< about a bias that is left out; or ""
};

/// "conv1.json" for conv1.weight.
std::string file_name(const std::string& kernel, const StoredArray& array) {
  if (kernel.empty())
    refuse_usage("'" + array.name + "'",
                 "gives no name for a kernel file; write the file by hand, with \"weight\": \"FILE.safetensors#" +
                     array.name + "\"");
  return file_name_part(kernel) + ".json";
}

std::vector<KernelFile> plan_kernels(const SafetensorsFile& file, const ImportOptions& options) {
  const std::string folder = options.out_dir.value_or("");
  const std::string model = path_from(folder, options.file);
  constexpr std::string_view kInside = ".safetensors#";
  if (in_small_letters(model).find(kInside) != std::string::npos)
    refuse_usage(options.file,
                 "kernel files cannot refer to it, because a folder in its path has a name that contains '" +
                     std::string(kInside) + "'; rename the folder");
  const ReadFiles read({options.file});
  std::map<std::string, std::string> seen;  // arrays, by the path of their kernels
  std::vector<KernelFile> kernels;
  for (const StoredArray* array : selected_arrays(file, options)) {
    const StoredArray* bias = bias_of(file, *array);
    const std::string name = kernel_name(*array), path = (fs::path(folder) / file_name(name, *array)).string();
    const auto [at, fresh] = seen.emplace(path, array->name);
    if (!fresh)
      refuse_usage(path, "would be written for '" + at->second + "' and for '" + array->name +
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
    refuse_usage(options.file, "not a safetensors file by its name (expected NAME.safetensors); rename it");
  if (options.all && !options.names.empty()) refuse_usage("--all", "imports every kernel; leave out the names");
  const bool lists = options.names.empty() && !options.all;
  if (lists && (options.out_dir || options.no_clobber))
    refuse_usage(options.out_dir ? "--out-dir" : "--no-clobber",
                 "has no effect without kernel files to write; name arrays to import, or add --all");
  const SafetensorsFile file(options.file);
  if (lists) {
    print(list_text(file));
    return kExitDone;
  }
  for (const KernelFile& kernel : plan_kernels(file, options)) {
    create_folder_of(kernel.path);
    const auto content = std::as_bytes(std::span(kernel.content));
    if (!options.no_clobber) {
      write_file(kernel.path, content);
    } else if (!write_new_file(kernel.path, content)) {
      print(printable(kernel.path + " skipped: it exists") + "\n");
      continue;
    }
    if (!kernel.warning.empty()) print_message(MessageKind::warning, options.file + ": " + kernel.warning);
    print(printable(kernel.array + (kernel.bias.empty() ? "" : " and " + kernel.bias) + " -> " + kernel.path) + "\n");
  }
  return kExitDone;
}

}  // namespace

void declare_kernels_import(Command& command) {
  auto options = std::make_shared<ImportOptions>();
  command.text = kImportText;
  command.examples = kImportExamples;
  command.add("Options",
              {{.names = "FILE", .target = &options->file, .brief = "a .safetensors file", .required = true},
               {.names = "NAME",
                .target = &options->names,
                .brief = "an array to import: conv1.weight, or conv1 with its bias"},
               {.names = "--all", .target = &options->all, .brief = "import every array that can be a kernel"},
               {.names = "--out-dir",
                .value = "DIR",
                .target = &options->out_dir,
                .brief = "folder for the kernel files",
                .text = "The folder for the kernel files, created if missing.",
                .otherwise = "the current folder"},
               {.names = "-n,--no-clobber", .target = &options->no_clobber, .brief = "skip kernel files that exist"}});
  command.run = [options] { return run_import(*options); };
}

}  // namespace convtool
