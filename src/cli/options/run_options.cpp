#include "cli/options/run_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/batch/memory_budget.h"
#include "cli/batch/resume.h"
#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "core/parallel.h"

namespace convtool {
namespace {

void add_output_options(CLI::App& command, RunOptions& options) {
  const auto add = [&](const char* name, auto& value, const char* type, const char* help) {
    return command.add_option(name, value, help)->type_name(type)->group("Output");
  };
  add("-o,--output", options.destination.output, "PATH",
      "file, - for standard output, or a name for each input such as {dir}/{stem}.{kernel}.{ext}");
  add("--out-dir", options.destination.out_dir, "DIR", "folder for many outputs, created if missing");
  add("--format", options.destination.format, "FMT",
      "format for standard output and derived names: png, npy, json, ...");
  add("--map", options.map, "M",
      "response to picture values: auto, clip, abs, normalize, offset, signed (the kernel's, else auto)");
  add("--normalize-percentile", options.percentiles, "LOW,HIGH",
      "--map normalize between these percentiles of the responses, such as 1,99");
  add("--threshold", options.threshold, "T", "full where the response is more than T (with abs its size), else 0");
  add("--depth", options.depth, "D", "same, u8, u16, f32")->capture_default_str();
  add("--alpha", options.alpha, "A", "keep (set aside and attached again), drop, filter, premultiply")
      ->capture_default_str();
  add("--quality", options.quality, "Q", "of JPEG (else 95) and WebP (else lossless): 1 to 100");
  add("--png-level", options.png_level, "N", "0, stored, to 9, smallest (else 1)");
  add("--png-strategy", options.png_strategy, "S", "default, filtered, huffman, rle, fixed");
  CLI::Option* manifest = add("--manifest", options.manifest, "FILE",
                              "record in FILE what was done, as JSON Lines; what is recorded there and has not changed "
                              "since is skipped");
  command.add_flag("-n,--no-clobber", options.no_clobber, "skip an input whose output exists")
      ->excludes(manifest)
      ->group("Output");
  command.add_flag("--dry-run", options.dry_run, "tell what would be written, write nothing")->group("Output");
}

void add_process_options(CLI::App& command, RunOptions& options) {
  const char* group = "Run";
  CLI::Option* json =
      command.add_flag("--json", options.json, "report as JSON Lines, one object per input")->group(group);
  CLI::Option* quiet =
      command.add_flag("-q,--quiet", options.quiet, "nothing but errors")->excludes(json)->group(group);
  command.add_flag("-v,--verbose", options.verbose, "also the plan: algorithm, instruction set, threads, timings")
      ->excludes(quiet)
      ->group(group);
  const auto add = [&](const char* name, auto& value, const char* type, const char* help) {
    command.add_option(name, value, help)->type_name(type)->capture_default_str()->group(group);
  };
  add("--algorithm", options.algorithm, "A", "auto, or one by name: rows, integer, separable, fft, ...");
  add("--progress", options.progress, "WHEN", "a line on the terminal: auto, always, never");
  add("--jobs", options.jobs, "N", "inputs at a time; 0: as many as cores");
  add("--threads", options.threads, "N", "threads for each input; 0: the cores, shared among jobs");
  add("--max-pixels", options.max_pixels, "N", "refuse larger inputs before they are decoded");
  command
      .add_option("--memory-limit", options.memory_limit,
                  "bytes for all inputs in flight together, such as 500M or 4G; those that find no room wait (three "
                  "quarters of the machine's)")
      ->type_name("SIZE")
      ->group(group);
  command.add_flag("--fail-fast", options.fail_fast, "stop at the first failure")->group(group);
}

EncodeOptions resolve_encoding(const RunOptions& options) {
  EncodeOptions encode;
  if (options.quality) encode.quality = static_cast<int>(parse_integer("--quality", *options.quality, 1, 100));
  if (options.png_level) encode.png_level = static_cast<int>(parse_integer("--png-level", *options.png_level, 0, 9));
  if (options.png_strategy)
    encode.png_strategy =
        static_cast<PngStrategy>(parse_choice("--png-strategy", *options.png_strategy, kPngStrategies));
  return encode;
}

[[noreturn]] void refuse_map(const char* option, const std::string& needs, OutputMap map) {
  throw Error(ErrorKind::usage, option,
              "is for --map " + needs + " (got --map " + std::string(to_string(map)) + "); leave one out");
}

/// --map with --normalize-percentile and --threshold.
void resolve_mapping(const RunOptions& options, FilterSpec& result) {
  if (options.map) result.map = static_cast<OutputMap>(parse_choice("--map", *options.map, kOutputMaps));
  if (options.percentiles) {
    const std::optional<std::array<double, 2>> range = find_range(*options.percentiles);
    if (!range || (*range)[0] < 0 || (*range)[1] > 100 || (*range)[0] == (*range)[1])
      throw Error(ErrorKind::usage, "--normalize-percentile",
                  "'" + *options.percentiles + "' does not fit (expected LOW,HIGH from 0 to 100, such as 1,99)");
    if (result.map.value_or(OutputMap::normalize) != OutputMap::normalize)
      refuse_map("--normalize-percentile", "normalize", *result.map);
    result.map = OutputMap::normalize;
    result.percentiles = range;
  }
  if (options.threshold) {
    const OutputMap map = result.map.value_or(OutputMap::automatic);
    if (map != OutputMap::automatic && map != OutputMap::clip && map != OutputMap::abs)
      refuse_map("--threshold", "clip or abs", map);
    result.threshold = parse_finite("--threshold", *options.threshold);
  }
}

int resolve_jobs(const RunOptions& options) {
  const int jobs = parse_threads("--jobs", options.jobs);
  return jobs == 0 ? available_cores() : jobs;
}

}  // namespace

void add_run_options(CLI::App& command, RunOptions& options) {
  options.command = &command;
  command.add_option("INPUT", options.inputs.named, "pictures, .npy or .json tensors, folders; - is standard input");
  const char* group = "Input";
  command
      .add_option("--files-from", options.inputs.files_from, "also the files named in FILE, or - , one on each line")
      ->type_name("FILE")
      ->group(group);
  command.add_flag("-0", options.inputs.nul_separated, "with --files-from: names end with NUL, as find -print0 has it")
      ->group(group);
  command.add_flag("--recursive", options.inputs.recursive, "a folder stands for all pictures and tensors below it")
      ->group(group);
  command
      .add_option("--include", options.inputs.include,
                  "with --recursive: only files whose name matches; may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false)
      ->group(group);
  command
      .add_option("--shard", options.shard,
                  "only the K-th of N slices of the inputs, which are the same on every machine that lists the same")
      ->type_name("K/N")
      ->group(group);
  add_output_options(command, options);
  add_process_options(command, options);
}

FilterSpec resolve_filter(const RunOptions& options) {
  FilterSpec spec;
  spec.alpha = static_cast<AlphaRule>(parse_choice("--alpha", options.alpha, kAlphaRules));
  resolve_mapping(options, spec);
  const std::size_t depth = parse_choice("--depth", options.depth, kDepths);
  if (depth > 0) spec.depth = static_cast<DType>(depth - 1);
  spec.encode = resolve_encoding(options);
  std::vector<std::string_view> algorithms = algorithm_names();
  algorithms.insert(algorithms.begin(), "auto");
  spec.plan.algorithm = algorithms[parse_choice("--algorithm", options.algorithm, algorithms)];
  spec.plan.totals = options.json || options.verbose;
  spec.plan.threads = parse_threads("--threads", options.threads);
  if (spec.plan.threads == 0) spec.plan.threads = std::max(1, available_cores() / resolve_jobs(options));
  spec.max_pixels = parse_integer("--max-pixels", options.max_pixels, 1, std::int64_t{1} << 60);
  spec.dumps_layers = options.destination.dump_layers.has_value();
  return spec;
}

BatchOptions resolve_batch(const RunOptions& options, const FilterSpec& spec,
                           const std::vector<std::string>& kernel_files) {
  BatchOptions batch{.inputs = options.inputs, .destination = options.destination, .kernel_files = kernel_files};
  if (options.manifest) {
    batch.manifest = options.manifest;
    batch.recorded = options_with_a_say(*options.command, spec.network);
  }
  if (options.shard) {
    const std::string_view shard = *options.shard;
    const std::size_t slash = shard.find('/');
    if (slash == std::string_view::npos || shard.find('/', slash + 1) != std::string_view::npos)
      throw Error(ErrorKind::usage, "--shard", "'" + *options.shard + "' does not fit (expected K/N, such as 2/8)");
    batch.shards = parse_integer("--shard", shard.substr(slash + 1), 1, 1 << 20);
    batch.shard = parse_integer("--shard", shard.substr(0, slash), 1, batch.shards);
  }
  batch.memory_limit =
      options.memory_limit ? parse_size("--memory-limit", *options.memory_limit) : default_memory_limit();
  batch.jobs = resolve_jobs(options);
  batch.no_clobber = options.no_clobber;
  batch.dry_run = options.dry_run;
  batch.fail_fast = options.fail_fast;
  batch.json = options.json;
  batch.quiet = options.quiet;
  batch.verbose = options.verbose;
  const std::size_t progress = parse_choice("--progress", options.progress, kProgressModes);
  batch.progress = options.quiet ? ProgressMode::never : static_cast<ProgressMode>(progress);
  return batch;
}

}  // namespace convtool
