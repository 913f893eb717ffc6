#include "cli/commands/kernels/import_arrays.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "cli/batch/destinations.h"
#include "cli/exit_code.h"
#include "cli/job/output_file.h"
#include "cli/terminal/terminal.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "core/text.h"
#include "files/file.h"
#include "kernels/files/kernel_writer.h"
#include "kernels/files/weight_file.h"
#include "tensors/safetensors.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWeight = ".weight", kBias = ".bias";

/// "conv1" of "conv1.weight".
std::string kernel_name(const StoredArray& array) {
  return array.name.ends_with(kWeight) ? array.name.substr(0, array.name.size() - kWeight.size()) : array.name;
}

/// The array that is the bias of a kernel by its name, even if it does not fit; or null.
const StoredArray* bias_of(const SafetensorsFile& file, const StoredArray& array) {
  return array.name.ends_with(kWeight) ? file.find(kernel_name(array) + std::string(kBias)) : nullptr;
}

/// Whether an array of rank 4 belongs to nn.ConvTranspose2d, which stores [c_i][c_o/groups][kh][kw]: by its name, or
/// because its bias fits only that. Where neither shows it, nn.Conv2d is assumed.
bool is_transposed(const SafetensorsFile& file, const StoredArray& array) {
  const std::string name = in_small_letters(array.name);
  for (const char* word : {"transpose", "deconv", "upconv", "up_conv"})
    if (name.find(word) != std::string::npos) return true;
  const StoredArray* const bias = bias_of(file, array);
  if (bias == nullptr || bias->shape.size() != 1 || bias->shape == std::vector{array.shape[0]}) return false;
  const std::int64_t c_i = array.shape[0], c_o_per_group = array.shape[1], c_o = bias->shape[0];
  return c_o_per_group > 0 && c_o > 0 && c_o % c_o_per_group == 0 && c_i % (c_o / c_o_per_group) == 0;
}

/// Why an array cannot be a kernel; "" if it can.
std::string objection(const SafetensorsFile& file, const StoredArray& array) {
  if (array.shape.size() != 4)
    return "has rank " + std::to_string(array.shape.size()) + " (expected 4: [c_o][c_i/groups][kh][kw], as nn.Conv2d)";
  if (!is_readable_dtype(array.dtype)) return "has type " + array.dtype + ", which convtool does not read";
  if (array.count() < 1) return "is empty";
  if (array.count() > kMostReferredWeights)
    return "is too large (at most " + std::to_string(kMostReferredWeights) + " weights)";
  if (is_transposed(file, array))
    return "is of nn.ConvTranspose2d by its name or bias, and not a convolution; export the model to ONNX";
  return "";
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
  if (array.shape.size() == 4 && is_transposed(file, array)) return "of a transposed convolution";
  if (!objection(file, array).empty()) return "";
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
  const std::string why_not = objection(file, *array);
  if (!why_not.empty()) refuse_usage(path, "'" + array->name + "' " + why_not);
  return *array;
}

std::vector<const StoredArray*> selected_arrays(const SafetensorsFile& file, const ArrayImport& options) {
  std::vector<const StoredArray*> selected;
  for (const std::string& name : options.names) selected.push_back(&find_kernel(file, options.file, name));
  if (options.all)
    for (const StoredArray& array : file.arrays())
      if (objection(file, array).empty()) selected.push_back(&array);
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

std::vector<KernelFile> plan_kernels(const SafetensorsFile& file, const ArrayImport& options) {
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

/// A sentence on batch normalisation, which no file of single kernels applies; "" without it.
std::string normalisation_note(const SafetensorsFile& file) {
  constexpr std::string_view kMean = ".running_mean";
  std::string first;
  int count = 0;
  for (const StoredArray& array : file.arrays())
    if (array.name.ends_with(kMean) && ++count == 1) first = array.name.substr(0, array.name.size() - kMean.size());
  if (count == 0) return "";
  return "has batch normalisation ('" + first + "'" +
         (count == 1 ? "" : " and " + std::to_string(count - 1) + " more") +
         "), which kernel files of its arrays do not apply; export the model to ONNX and import that";
}

/// Writes a kernel file, and prints what it refers to.
void write_kernel(const KernelFile& kernel, const ArrayImport& options) {
  create_folder_of(kernel.path);
  const auto content = std::as_bytes(std::span(kernel.content));
  if (!options.no_clobber) {
    write_file(kernel.path, content);
  } else if (!write_new_file(kernel.path, content)) {
    return print(printable(kernel.path + " skipped: it exists") + "\n");
  }
  if (!kernel.warning.empty()) print_message(MessageKind::warning, options.file + ": " + kernel.warning);
  print(printable(kernel.array + (kernel.bias.empty() ? "" : " and " + kernel.bias) + " -> " + kernel.path) + "\n");
}

}  // namespace

int import_arrays(const ArrayImport& options) {
  const SafetensorsFile file(options.file);
  if (options.lists())
    print(list_text(file));
  else
    for (const KernelFile& kernel : plan_kernels(file, options)) write_kernel(kernel, options);
  if (const std::string note = normalisation_note(file); !note.empty())
    print_message(MessageKind::note, options.file + ": " + note);
  return kExitDone;
}

}  // namespace convtool
