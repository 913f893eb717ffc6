// convtool apply: filter images or tensors.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "cli/app.h"
#include "cli/command.h"
#include "cli/destination.h"
#include "cli/filter.h"
#include "cli/layer_options.h"
#include "cli/option_value.h"
#include "cli/print.h"
#include "core/text.h"

namespace convtool {
namespace {

struct ApplyOptions {
  std::vector<std::string> inputs;
  LayerOptions layer;
  DestinationOptions destination;
  bool grey = false;
  std::optional<std::string> map;
  std::optional<std::string> quality, png_level, png_strategy;
  std::string depth = "same", alpha = "keep", algorithm = "auto", threads = "0";
  std::string max_pixels = std::to_string(std::int64_t{1} << 30);
  bool no_clobber = false, fail_fast = false, dry_run = false, json = false, quiet = false, verbose = false;
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

FilterOptions resolve(const ApplyOptions& options) {
  constexpr std::string_view kDepths[] = {"same", "u8", "u16", "f32"};
  FilterOptions result;
  result.network = load_network(options.layer);
  result.flip = options.layer.flip;
  result.grey = options.grey;
  result.alpha = static_cast<AlphaRule>(parse_choice("--alpha", options.alpha, kAlphaRules));
  if (options.map) result.map = static_cast<OutputMap>(parse_choice("--map", *options.map, kOutputMaps));
  const std::size_t depth = parse_choice("--depth", options.depth, kDepths);
  if (depth > 0) result.depth = static_cast<DType>(depth - 1);
  if (options.quality) result.encode.quality = static_cast<int>(parse_integer("--quality", *options.quality, 1, 100));
  if (options.png_level)
    result.encode.png_level = static_cast<int>(parse_integer("--png-level", *options.png_level, 0, 9));
  if (options.png_strategy)
    result.encode.png_strategy =
        static_cast<PngStrategy>(parse_choice("--png-strategy", *options.png_strategy, kPngStrategies));
  std::vector<std::string_view> algorithms = algorithm_names();
  algorithms.insert(algorithms.begin(), "auto");
  result.plan.algorithm = algorithms[parse_choice("--algorithm", options.algorithm, algorithms)];
  result.plan.threads = parse_threads("--threads", options.threads);
  result.max_pixels = parse_integer("--max-pixels", options.max_pixels, 1, std::int64_t{1} << 60);
  result.dry_run = options.dry_run;
  result.no_clobber = options.no_clobber;
  return result;
}

/// Filters one input; what goes wrong with it ends in the report.
RunReport run_one(const std::string& input, const Destination& destination, const std::vector<std::string>& sources,
                  const FilterOptions& filter) {
  RunReport report{.input = input, .output = destination.path};
  const auto failed = [&](ErrorKind kind, const std::string& message) {
    report.status = RunReport::Status::error;
    report.error_kind = kind;
    report.error_message = message;
  };
  try {
    filter_file(input, destination, sources, filter, report);
  } catch (const Error& error) {
    failed(error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    failed(ErrorKind::memory, "not enough memory");
  } catch (const std::exception& error) {
    failed(ErrorKind::internal, error.what());
  }
  return report;
}

/// "FILE: message", once: errors of reading and writing name their file already.
std::string error_line(const RunReport& report) {
  const bool named = report.input.empty() || report.error_message.starts_with(report.input + ": ") ||
                     (!report.output.empty() && report.error_message.starts_with(report.output + ": "));
  return "convtool: " + printable((named ? "" : report.input + ": ") + report.error_message) + "\n";
}

int run_apply(const ApplyOptions& options) {
  const FilterOptions filter = resolve(options);
  std::vector<std::string> sources = options.inputs;  // what the run reads: no output may be one of them
  sources.insert(sources.end(), options.layer.kernels.begin(), options.layer.kernels.end());
  const std::vector<Destination> destinations =
      plan_destinations(options.inputs, sources, options.destination, filter.network.name);
  bool any_failed = false;
  for (std::size_t i = 0; i < options.inputs.size(); ++i) {
    const RunReport report = run_one(options.inputs[i], destinations[i], sources, filter);
    const bool failed = report.status == RunReport::Status::error;
    const auto tell = destinations[i].path == "-" ? print_error : print;
    if (failed) print_error(error_line(report));
    if (options.json)
      tell(to_json(report) + "\n");
    else if (!failed && !options.quiet)
      tell(to_text(report, options.verbose) + "\n");
    any_failed = any_failed || failed;
    if (failed && options.fail_fast) break;
  }
  return any_failed ? kExitFailed : kExitDone;
}

}  // namespace

void add_apply(CLI::App& app, Action& action) {
  auto options = std::make_shared<ApplyOptions>();
  CLI::App* command = app.add_subcommand("apply", "filter images or tensors");
  command->footer(kFooter);
  command->add_option("INPUT", options->inputs, "pictures, .npy or .json tensors; - is standard input")->required();
  add_layer_options(*command, options->layer);
  command->get_option("--kernel")->required();

  const char* output = "Output";
  command
      ->add_option("-o,--output", options->destination.output,
                   "file, or - for standard output; the extension decides the format")
      ->type_name("PATH")
      ->group(output);
  command->add_option("--out-dir", options->destination.out_dir, "folder for many outputs, created if missing")
      ->type_name("DIR")
      ->group(output);
  command
      ->add_option("--format", options->destination.format,
                   "format for standard output and derived names: png, npy, json, ...")
      ->type_name("FMT")
      ->group(output);
  command->add_flag("--gray", options->grey, "convert to luma first (Rec. 601)")->group(output);
  command
      ->add_option("--map", options->map,
                   "response to picture values: auto, clip, abs, normalize, offset, signed (the kernel's, else auto)")
      ->type_name("M")
      ->group(output);
  command->add_option("--depth", options->depth, "same, u8, u16, f32")
      ->type_name("D")
      ->capture_default_str()
      ->group(output);
  command->add_option("--alpha", options->alpha, "keep (set aside and attached again), drop, filter")
      ->type_name("A")
      ->capture_default_str()
      ->group(output);
  command->add_option("--quality", options->quality, "of JPEG (else 95) and WebP (else lossless): 1 to 100")
      ->type_name("Q")
      ->group(output);
  command->add_option("--png-level", options->png_level, "0, stored, to 9, smallest (else 1)")
      ->type_name("N")
      ->group(output);
  command->add_option("--png-strategy", options->png_strategy, "default, filtered, huffman, rle, fixed")
      ->type_name("S")
      ->group(output);
  command->add_flag("-n,--no-clobber", options->no_clobber, "skip an input whose output exists")->group(output);
  command->add_flag("--dry-run", options->dry_run, "tell what would be written, write nothing")->group(output);

  const char* run = "Run";
  CLI::Option* json =
      command->add_flag("--json", options->json, "report as JSON Lines, one object per input")->group(run);
  CLI::Option* quiet =
      command->add_flag("-q,--quiet", options->quiet, "nothing but errors")->excludes(json)->group(run);
  command->add_flag("-v,--verbose", options->verbose, "also the plan: algorithm, instruction set, threads, timings")
      ->excludes(quiet)
      ->group(run);
  command->add_option("--algorithm", options->algorithm, "auto, or one by name: rows, integer, separable, fft, ...")
      ->type_name("A")
      ->capture_default_str()
      ->group(run);
  command->add_option("--threads", options->threads, "threads for each input; 0: as many as cores")
      ->type_name("N")
      ->capture_default_str()
      ->group(run);
  command->add_option("--max-pixels", options->max_pixels, "refuse larger inputs before they are decoded")
      ->type_name("N")
      ->capture_default_str()
      ->group(run);
  command->add_flag("--fail-fast", options->fail_fast, "stop at the first failure")->group(run);
  command->callback([options, &action] { action = [options] { return run_apply(*options); }; });
}

}  // namespace convtool
