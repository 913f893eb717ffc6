// convtool apply: filter images or tensors.

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/batch/batch.h"
#include "cli/command.h"
#include "cli/options/layer_options.h"
#include "cli/options/run_options.h"

namespace convtool {
namespace {

struct ApplyOptions {
  RunOptions run;
  LayerOptions layer;
  bool grey = false;
};

constexpr const char* kFooter = R"(Borders (--padding-mode), around a row abcd:
  zeros 000|abcd|000   reflect dcb|abcd|cba   symmetric cba|abcd|dcb   replicate aaa|abcd|ddd   circular bcd|abcd|abc

Examples:
  convtool apply img.png --kernel edge.json                  writes img.edge.png beside img.png
  convtool apply img.png -k '[[1,-1]]' -o d.png              an inline kernel
  convtool apply a.png b.jpg c.tif -k edge.json --out-dir out
  cat img.png | convtool apply - -k edge.json -o - | other   image bytes in and out, the report on stderr
  convtool apply x.npy -k layer.json -o y.npy                float tensors
Exit codes: 0 all done; 1 at least one input failed, the others are written; 2 nothing was begun.)";

int run_apply(const ApplyOptions& options) {
  FilterSpec spec = resolve_filter(options.run);
  spec.network = load_network(options.layer);
  spec.flip = options.layer.flip;
  spec.grey = options.grey;
  return run_batch(resolve_batch(options.run, spec, options.layer.kernels), spec);
}

}  // namespace

void add_apply(CLI::App& command, Action& action) {
  auto options = std::make_shared<ApplyOptions>();
  command.footer(kFooter);
  add_layer_options(command, options->layer);
  command.get_option("--kernel")->required();
  add_run_options(command, options->run);
  command
      .add_option("--dump-layers", options->run.destination.dump_layers,
                  "folder for what each layer makes, as STEM.01-LAYER.npy; created if missing")
      ->type_name("DIR")
      ->group("Output");
  command.add_flag("--gray", options->grey, "convert to luma first (Rec. 601)")->group("Output");
  command.callback([options, &action] { action = [options] { return run_apply(*options); }; });
}

}  // namespace convtool
