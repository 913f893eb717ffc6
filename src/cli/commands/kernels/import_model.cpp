#include "cli/commands/kernels/import_model.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <vector>

#include "cli/batch/destinations.h"
#include "cli/exit_code.h"
#include "cli/job/output_file.h"
#include "cli/terminal/terminal.h"
#include "core/printable.h"
#include "core/text.h"
#include "files/file.h"
#include "kernels/files/kernel_writer.h"
#include "kernels/files/layer_text.h"
#include "kernels/onnx/import_onnx.h"
#include "network/residual.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kJson = ".json";

std::string kernel_path(const ModelImport& options) {
  if (!options.output)
    return (fs::path(options.out_dir.value_or("")) / fs::path(options.file).stem()).string() + std::string(kJson);
  if (options.out_dir) refuse_usage("--out-dir", "has no effect with -o, which names the file; leave one out");
  if (!has_extension(*options.output, kJson))
    refuse_usage("-o", printable(*options.output) + " is not a kernel file by its name (expected NAME.json)");
  return *options.output;
}

/// "net.weights.safetensors" for "net.json".
std::string weights_path(const std::string& kernel) {
  const std::string path = kernel.substr(0, kernel.size() - kJson.size()) + ".weights.safetensors";
  if (in_small_letters(fs::path(path).filename().string()).find(".safetensors#") != std::string::npos)
    refuse_usage("-o", "a kernel file cannot refer to " + path + ", because its name contains '.safetensors#'");
  return path;
}

/// "scale 0.5; mean 1,2,3; bgr", without members that change nothing.
std::string scaling_words(const InputScaling& scaling) {
  std::vector<std::string> words;
  if (scaling.scale != 1) words.push_back("scale " + short_text(scaling.scale, 6));
  if (!scaling.mean.empty()) words.push_back("mean " + join_numbers(scaling.mean));
  if (!scaling.deviation.empty()) words.push_back("std " + join_numbers(scaling.deviation));
  if (scaling.order == ChannelOrder::bgr) words.push_back("bgr");
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : "; ") + word;
  return text;
}

/// Name, size and description of each layer, in columns; first the scaling of the input.
std::string layers_text(const Network& network) {
  std::vector<std::array<std::string, 3>> rows;
  if (const auto& input = network.input) rows.push_back({"input", "", scaling_words(*input)});
  for (const Bank& bank : network.banks) {
    if (is_input_copy(bank)) continue;  // kernel files do not list it
    const Layer& layer = bank.layers.front();
    const bool has_weights = layer.weights.size() > 1 && layer.pooling == Pooling::none;
    rows.push_back({printable(bank.name), has_weights ? join_sizes(layer.dimensions()) : layer.size_text(),
                    printable(bank.description)});
  }
  std::array<std::size_t, 2> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) text += row[i] + std::string(widths[i] + 2 - row[i].size(), ' ');
    text += row.back() + "\n";
  }
  return text;
}

}  // namespace

int import_model(const ModelImport& options) {
  const std::string path = kernel_path(options), weights = weights_path(path);
  const OnnxFile file(options.file);
  ReadFiles read({options.file});
  read.add(file.external_files());
  for (const std::string& each : {path, weights}) check_output(each, !options.output, read);
  if (options.no_clobber && exists(path)) {
    print(printable(path + " skipped: it exists") + "\n");
    return kExitDone;
  }

  OnnxImport import = import_onnx(file, options.until);
  Network& network = import.network;
  if (network.banks.empty())
    refuse_kernel(options.file,
                  "nothing can be imported: " +
                      import.stop.value_or("no operator leads from its input '" + import.input + "' to an output"));
  if (options.until && import.stop)
    refuse_usage("--until", "'" + *options.until + "' is not reached: the import ends at " + *import.stop);
  if (std::ssize(network.banks) > kMostLayers)
    refuse_kernel(options.file, "has " + std::to_string(network.banks.size()) + " layers, and a kernel file at most " +
                                    std::to_string(kMostLayers) + "; import the first of them with --until");
  set_scaling(options.scaling, network);
  network.name = fs::path(options.file).stem().string();
  network.description =
      "the layers of " + fs::path(options.file).filename().string() + " from its input '" + import.input + "' on";

  const std::vector<NamedArray> arrays = arrays_of(network);
  const std::string text = format_kernel_references(network, fs::path(weights).filename().string());
  const auto write = [&](const std::string& to, std::span<const std::byte> bytes) {
    if (!options.no_clobber) return write_file(to, bytes);
    if (!write_new_file(to, bytes))
      throw Error(ErrorKind::output, to,
                  "exists, and --no-clobber keeps it; choose another name with -o, or leave out --no-clobber");
  };
  create_folder_of(path);
  if (!arrays.empty()) write(weights, format_safetensors(arrays));
  write(path, std::as_bytes(std::span(text)));
  print(layers_text(network) + printable(options.file + " -> " + path + (arrays.empty() ? "" : " and " + weights)) +
        "\n");
  if (import.stop) print_message(MessageKind::note, options.file + ": ends at " + *import.stop);
  return kExitDone;
}

}  // namespace convtool
