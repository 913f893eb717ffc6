// convtool apply: filter pictures or tensors.

#include <memory>
#include <utility>

#include "cli/batch/batch.h"
#include "cli/command.h"
#include "cli/options/input_check.h"
#include "cli/options/load_network.h"
#include "cli/options/option_value.h"
#include "cli/options/resolve_options.h"
#include "cli/options/run_options.h"
#include "cli/options/scaling_options.h"
#include "network/chain.h"

namespace convtool {
namespace {

struct ApplyOptions {
  RunOptions run;
  ChainOptions layer;
  ScalingOptions scaling;
  std::optional<std::string> sheet_columns, sheet_scale;
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
  convtool apply img.png -k gaussian:sigma=2 --then sobel
  convtool apply img.png -k '[[1,1],[1,1]]' --normalize
  convtool apply a.png b.jpg c.tif -k edge.json --out-dir out
  convtool apply photos -r -k edge.json --out-dir edges --jobs 0
  cat img.png | convtool apply - -k edge.json -o - | other
  convtool apply x.npy -k layer.json -o y.npy       tensors
  convtool apply img.png -k net.json --sheet maps.png --input-scale 1/255 \
      --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225)";

/// The options that affect a result, but not the sheet of it.
void check_sheet_alone(const RunOptions& run) {
  const std::pair<const char*, bool> kOfResults[] = {
      {"--map", run.map.has_value()}, {"--threshold", run.threshold.has_value()}, {"--depth", run.depth != "same"}};
  for (const auto& [option, is_given] : kOfResults)
    if (is_given)
      refuse_usage(option,
                   "has no effect on a sheet, which shows the responses; leave it out, or write the result as "
                   "well with --output");
}

std::optional<SheetOptions> resolve_sheet(const ApplyOptions& options) {
  const RunOptions& run = options.run;
  if (!run.destination.sheet) {
    if (options.sheet_columns) refuse_usage("--sheet-columns", "applies to --sheet FILE; add it");
    if (options.sheet_scale) refuse_usage("--sheet-scale", "applies to --sheet FILE; add it");
    return std::nullopt;
  }
  if (run.destination.only_sheet()) check_sheet_alone(run);
  SheetOptions sheet;
  constexpr std::int64_t kMostColumns = 1 << 20;
  if (options.sheet_columns) sheet.columns = parse_integer("--sheet-columns", *options.sheet_columns, 1, kMostColumns);
  if (options.sheet_scale)
    sheet.scale = static_cast<SheetScale>(parse_choice("--sheet-scale", *options.sheet_scale, kSheetScales));
  if (run.signed_zero)
    sheet.zero = static_cast<SignedZero>(parse_choice("--signed-zero", *run.signed_zero, kSignedZeros));
  return sheet;
}

int run_apply(const ApplyOptions& options) {
  FilterSpec spec = resolve_filter(options.run);
  Network network = load_network(options.layer);
  check_algorithm(spec.plan.algorithm, network);
  set_network(options.scaling, std::move(network), spec);
  spec.flip = options.layer.flip;
  spec.grey = options.grey;
  spec.sheet = resolve_sheet(options);
  if (spec.sheet) spec.sheet->percentiles = spec.percentiles;
  return run_batch(resolve_batch(options.run, spec, options.layer.all_kernels()), spec);
}

}  // namespace

void declare_apply(Command& command) {
  auto options = std::make_shared<ApplyOptions>();
  command.text = kApplyText;
  command.examples = kApplyExamples;
  add_chain_options(command, options->layer, true);
  add_run_options(command, options->run);
  command.add("Input",
              {{.names = "--gray",
                .target = &options->grey,
                .brief = "convert to luma first (Rec. 601)",
                .text = "Convert a colour picture to luma first, by the weights of Rec. 601, as OpenCV does."}});
  add_scaling_options(command, options->scaling);
  command.add(
      "Output",
      {{.names = "--dump-layers",
        .value = "DIR",
        .target = &options->run.destination.dump_layers,
        .brief = "also write the output of each layer to DIR, as .npy",
        .text = "Also write the output of each layer, as f32, to DIR/STEM.01-LAYER.npy, DIR/STEM.02-LAYER.npy "
                "and so on. DIR is created if missing; folders are mirrored in it as in --out-dir. With --sheet also "
                "their sheets, as .png."},
       {.names = "--sheet",
        .value = "FILE",
        .target = &options->run.destination.sheet,
        .brief = "show the channels of the result as tiles of one picture",
        .text = "Write the channels of the result (without an alpha that is kept) as numbered tiles of one "
                "picture, FILE, which may be - or a pattern as for --output. It is all that is written, unless "
                "--output, --out-dir or --format ask for the result as well.\n\n"
                "Tiles show responses, before --map: without negative ones grey, 0 black and the largest "
                "white; with negative ones orange for positive, blue for negative, and 0 as --signed-zero. With "
                "--normalize-percentile P,Q, the percentile that is further from 0 gets the full colour. NaN "
                "is black. Small tiles are enlarged by a whole factor; of a sheet of more than 2^24 pixels, each "
                "pixel is the mean of several values, and the report says of how many. Above a tile are its number and "
                "the range of its colours, where they fit; +-0.5 is a range from -0.5 to 0.5. Tiles of one value have "
                "one scale, and the value above them. Below all tiles is a legend."},
       {.names = "--sheet-columns",
        .value = "N",
        .target = &options->sheet_columns,
        .brief = "with --sheet: tiles side by side",
        .text = "With --sheet: how many tiles are side by side, at most.",
        .otherwise = "a sheet about as wide as high"},
       {.names = "--sheet-scale",
        .value = "S",
        .target = &options->sheet_scale,
        .brief = "with --sheet: the scale of colours, {words}",
        .text = "With --sheet: each, where each tile has a scale of its own, or joint, where all tiles share one.",
        .otherwise = "each",
        .words = {kSheetScales}}});
  command.check = [options] {
    check_inputs(options->run, options->layer.last_option(), options->layer.last_kernels());
  };
  command.run = [options] { return run_apply(*options); };
}

}  // namespace convtool
