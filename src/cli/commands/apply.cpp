// convtool apply: filter pictures or tensors.

#include <memory>

#include "cli/batch/batch.h"
#include "cli/command.h"
#include "cli/options/input_check.h"
#include "cli/options/layer_options.h"
#include "cli/options/run_options.h"

namespace convtool {
namespace {

struct ApplyOptions {
  RunOptions run;
  LayerOptions layer;
  bool grey = false;
};

constexpr std::string_view kApplyText =
    "Filters each input with a kernel, writes the result to the same folder, and prints a one-line report. The outputs "
    "of several kernels, or of a network, become the channels of the result.\n\n"
    "All arithmetic is in the units of the input: 0..255, 0..65535, or floats as they are. Results are rounded to "
    "nearest, ties to even; values outside the output's range are clipped, and counted in the report. Shapes are C x H "
    "x W, channels in the order R, G, B(, A).\n\n"
    "Exit codes: 0 all done; 1 at least one input failed, the others are written; 2 an option or a kernel is wrong, "
    "and nothing was started.";

constexpr std::string_view kApplyExamples = R"(  convtool apply img.png -k edge.json               writes img.edge.png
  convtool apply img.png -k sobel -o edges.png      a shipped kernel
  convtool apply img.png -k '[[1,-1]]' -o d.png     a kernel as JSON
  convtool apply a.png b.jpg c.tif -k edge.json --out-dir out
  convtool apply photos -r -k edge.json --out-dir edges --jobs 0
  cat img.png | convtool apply - -k edge.json -o - | other
  convtool apply x.npy -k layer.json -o y.npy       tensors)";

int run_apply(const ApplyOptions& options) {
  FilterSpec spec = resolve_filter(options.run);
  spec.network = load_network(options.layer);
  spec.flip = options.layer.flip;
  spec.grey = options.grey;
  return run_batch(resolve_batch(options.run, spec, options.layer.kernels), spec);
}

}  // namespace

void declare_apply(Command& command) {
  auto options = std::make_shared<ApplyOptions>();
  command.text = kApplyText;
  command.examples = kApplyExamples;
  add_layer_options(command, options->layer, true);
  add_run_options(command, options->run);
  command.add("Input",
              {{.names = "--gray",
                .target = &options->grey,
                .brief = "convert to luma first (Rec. 601)",
                .text = "Convert a colour picture to luma first, by the weights of Rec. 601, as OpenCV does."}});
  command.add("Output",
              {{.names = "--dump-layers",
                .value = "DIR",
                .target = &options->run.destination.dump_layers,
                .brief = "also write the output of each layer to DIR, as .npy",
                .text = "Also write the output of each layer, as f32, to DIR/STEM.01-LAYER.npy, DIR/STEM.02-LAYER.npy "
                        "and so on. DIR is created if missing; folders are mirrored in it as in --out-dir."}});
  command.check = [options] { check_inputs(options->run, "-k", options->layer.kernels); };
  command.run = [options] { return run_apply(*options); };
}

}  // namespace convtool
