// convtool kernels import: write kernel files for a trained network.

#include <memory>
#include <optional>

#include "cli/commands/kernels/import_arrays.h"
#include "cli/commands/kernels/import_model.h"
#include "cli/commands/kernels/kernels.h"
#include "cli/options/scaling_options.h"
#include "core/error.h"
#include "core/text.h"
#include "kernels/files/weight_file.h"

namespace convtool {
namespace {

struct ImportOptions {
  std::string file;
  std::vector<std::string> names;
  std::optional<std::string> output, out_dir, until;
  bool all = false, no_clobber = false;
  ScalingOptions scaling;
};

constexpr std::string_view kImportText =
    "Writes kernel files for a trained network.\n\n"
    "Of an ONNX model, writes one network with its layers from the input on, as far as they are convolutions, also "
    "transposed, batch normalisation in eval mode, activations, pools, upsampling by whole factors, borders, sums of "
    "two paths, fully connected layers and scaling by constants. What comes first, scaling and a reversed order of "
    "colours, becomes \"input\". Prints the layers, and where and why the import ends before the model does. The "
    "weights go to NAME.weights.safetensors beside the kernel file NAME.json, and must stay there.\n\n"
    "Of a safetensors file, lists the arrays. With names or --all, writes a kernel file for each array instead. Kernel "
    "files refer to the arrays by name and do not copy their numbers, so the safetensors file must stay where it is.";

constexpr std::string_view kImportExamples = R"(  convtool kernels import model.onnx -o net.json
  convtool kernels import model.onnx --until relu1 -o stem.json
  convtool kernels import model.onnx --input-scale 1/255 --mean 0.485,0.456,0.406
  convtool apply photo.png -k net.json --sheet maps.png -o maps.npy
  convtool kernels import model.safetensors
  convtool kernels import model.safetensors conv1 --out-dir kernels
  convtool kernels import model.safetensors --all --out-dir kernels
  convtool apply a.png -k kernels/conv1.json --sheet maps.png -o maps.npy)";

int run_import(const ImportOptions& given) {
  const auto& [file, names, output, out_dir, until, all, no_clobber, scaling] = given;
  refuse_checkpoint("", file);
  if (has_extension(file, ".onnx")) {
    if (all || !names.empty())
      refuse_usage(all ? "--all" : "'" + names.front() + "'",
                   "arrays are for safetensors files; an ONNX model is imported from its input on, up to --until NODE");
    return import_model({file, output, out_dir, until, no_clobber, scaling});
  }
  if (!has_extension(file, ".safetensors"))
    refuse_usage(file, "not a model by its name (expected NAME.onnx or NAME.safetensors); rename it");
  if (const char* const option = scaling.first_given())
    refuse_usage(option, "is for ONNX models; scale the input of a kernel with 'convtool apply'");
  if (output || until)
    refuse_usage(output ? "-o" : "--until", "is for ONNX models; kernel files for arrays go to --out-dir");
  if (all && !names.empty()) refuse_usage("--all", "imports every kernel; leave out the names");
  const ArrayImport options{file, names, out_dir, all, no_clobber};
  if (options.lists() && (out_dir || no_clobber))
    refuse_usage(out_dir ? "--out-dir" : "--no-clobber",
                 "has no effect without kernel files to write; name arrays to import, or add --all");
  return import_arrays(options);
}

}  // namespace

void declare_kernels_import(Command& command) {
  auto options = std::make_shared<ImportOptions>();
  command.text = kImportText;
  command.examples = kImportExamples;
  command.add("Options",
              {{.names = "FILE", .target = &options->file, .brief = "a .onnx or .safetensors file", .required = true},
               {.names = "NAME",
                .target = &options->names,
                .brief = "an array of a safetensors file: conv1.weight, or conv1 with its bias"},
               {.names = "-o,--output",
                .value = "FILE",
                .target = &options->output,
                .brief = "the kernel file for an ONNX model",
                .text = "The kernel file for an ONNX model, NAME.json.",
                .otherwise = "the name of the model, in --out-dir"},
               {.names = "--until",
                .value = "NODE",
                .target = &options->until,
                .brief = "last node of an ONNX model to import",
                .text = "The last node of an ONNX model to import, by its name or that of its output. Where the graph "
                        "branches, the import follows the path to it."},
               {.names = "--all", .target = &options->all, .brief = "import every array that can be a kernel"},
               {.names = "--out-dir",
                .value = "DIR",
                .target = &options->out_dir,
                .brief = "folder for the kernel files",
                .text = "The folder for the kernel files, created if missing.",
                .otherwise = "the current folder"},
               {.names = "-n,--no-clobber", .target = &options->no_clobber, .brief = "skip kernel files that exist"}});
  constexpr const char* kElse = "that of the model, else none";
  command.add(
      "Input of an ONNX model, written to its kernel file",
      {{.names = "--input-scale",
        .value = "S",
        .target = &options->scaling.scale,
        .brief = "multiply pixels before the first layer: 1/255",
        .text = "How apply scales pixels before the first layer: (x * S - MEAN) / STD, channel by channel. S is a "
                "number, or a fraction such as 1/255. It becomes \"input\" in the kernel file.",
        .otherwise = kElse},
       {.names = "--mean",
        .value = "R,G,B",
        .target = &options->scaling.mean,
        .brief = "then subtract a mean, one or one per channel",
        .otherwise = kElse},
       {.names = "--std",
        .value = "R,G,B",
        .target = &options->scaling.deviation,
        .brief = "then divide by a standard deviation, likewise",
        .otherwise = kElse},
       {.names = "--channel-order",
        .value = "O",
        .target = &options->scaling.order,
        .brief = "order of the colours that the first layer reads: {words}",
        .otherwise = "that of the model, else rgb",
        .words = {kChannelOrders}}});
  command.run = [options] { return run_import(*options); };
}

}  // namespace convtool
