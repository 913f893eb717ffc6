#include "cli/options/resolve_options.h"

#include <algorithm>

#include "cli/batch/memory/machine_memory.h"
#include "cli/options/isolate_option.h"
#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "cli/options/report_option.h"
#include "core/parallel.h"
#include "core/text.h"
#include "kernels/files/kernel_writer.h"

namespace convtool {
namespace {

EncodeOptions resolve_encoding(const RunOptions& options) {
  EncodeOptions encode;
  if (options.quality) encode.quality = static_cast<int>(parse_integer("--quality", *options.quality, 1, 100));
  if (options.png_level) encode.png_level = static_cast<int>(parse_integer("--png-level", *options.png_level, 0, 9));
  if (options.png_strategy)
    encode.png_strategy =
        static_cast<PngStrategy>(parse_choice("--png-strategy", *options.png_strategy, kPngStrategies));
  if (options.tiff_compression)
    encode.tiff_compression =
        static_cast<TiffCompression>(parse_choice("--tiff-compression", *options.tiff_compression, kTiffCompressions));
  return encode;
}

/// --pages; nothing for the first page.
std::optional<PageRange> parse_pages(const std::string& text) {
  if (text == kPageWords[0]) return std::nullopt;
  if (text == kPageWords[1]) return PageRange{.last = PageRange::kEnd};
  const auto page = [&](std::string_view number) {
    const std::optional<std::int64_t> value = parse_number<std::int64_t>(number);
    if (!value || *value < 1)
      refuse_usage("--pages", "'" + text + "' is not valid (expected first, all, N or N-M, from 1, such as 2-5)");
    return *value;
  };
  const std::size_t dash = text.find('-', 1);
  PageRange range{.first = page(std::string_view(text).substr(0, dash))};
  range.last = dash == std::string::npos ? range.first : page(std::string_view(text).substr(dash + 1));
  if (range.last < range.first)
    refuse_usage("--pages", "'" + text + "' ends before it begins; write the smaller number first");
  return range;
}

[[noreturn]] void refuse_map(const char* option, const std::string& needs, OutputMap map) {
  refuse_usage(option, "applies to --map " + needs + " (got --map " + std::string(to_string(map)) + "); leave one out");
}

/// --map with --normalize-percentile and --threshold.
void resolve_mapping(const RunOptions& options, FilterSpec& result) {
  if (options.map) result.map = static_cast<OutputMap>(parse_choice("--map", *options.map, kOutputMaps));
  if (options.percentiles) {
    const std::optional<std::array<double, 2>> range = find_two_numbers(*options.percentiles);
    if (!range || (*range)[0] < 0 || (*range)[1] > 100 || (*range)[0] >= (*range)[1])
      refuse_usage("--normalize-percentile",
                   "'" + *options.percentiles + "' is not valid (expected P,Q with 0 <= P < Q <= 100, such as 1,99)");
    if (result.map && !needs_measuring(*result.map))
      refuse_map("--normalize-percentile", "normalize or signed", *result.map);
    if (!result.map) result.map = OutputMap::normalize;
    result.percentiles = range;
  }
  if (options.signed_zero)
    result.signed_zero = static_cast<SignedZero>(parse_choice("--signed-zero", *options.signed_zero, kSignedZeros));
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

FilterSpec resolve_filter(const RunOptions& options) {
  FilterSpec spec;
  spec.alpha = static_cast<AlphaRule>(parse_choice("--alpha", options.alpha, kAlphaRules));
  if (options.pages) spec.pages = parse_pages(*options.pages);
  if (options.planes) spec.planes = static_cast<PlaneRule>(parse_choice("--planes", *options.planes, kPlaneRules));
  resolve_mapping(options, spec);
  const std::size_t depth = parse_choice("--depth", options.depth, kDepths);
  if (depth > 0) spec.depth = static_cast<DType>(depth - 1);
  spec.encode = resolve_encoding(options);
  spec.strips_metadata = options.strip;
  if (options.pretty) spec.tensor_text = TensorText::aligned;
  const Words::List algorithms = algorithm_words();
  spec.plan.algorithm = algorithms[parse_choice("--algorithm", options.algorithm, algorithms)];
  spec.plan.totals = options.json || options.verbose;
  spec.plan.threads = parse_threads("--threads", options.threads);
  if (spec.plan.threads == 0) spec.plan.threads = std::max(1, available_cores() / resolve_jobs(options));
  spec.encode.threads = spec.plan.threads;
  spec.max_pixels = parse_integer("--max-pixels", options.max_pixels, 1, std::int64_t{1} << 60);
  spec.dumps_layers = options.destination.dump_layers.has_value();
  return spec;
}

BatchOptions resolve_batch(const RunOptions& options, const FilterSpec& spec,
                           const std::vector<std::string>& kernel_files) {
  BatchOptions batch{.inputs = options.inputs, .destination = options.destination, .kernel_files = kernel_files};
  if (options.manifest) {
    batch.manifest = options.manifest;
    batch.recorded = given_options(*options.command);
    batch.recorded["convtool"] = {CONVTOOL_VERSION};
    batch.recorded["command"] = {std::string(options.command->name)};
    batch.recorded["kernels_digest"] = {digest_of_network(spec.network)};
  }
  batch.page = page_options(options.report, *options.command);
  if (options.shard) {
    const std::string_view shard = *options.shard;
    const std::size_t slash = shard.find('/');
    if (slash == std::string_view::npos || shard.find('/', slash + 1) != std::string_view::npos)
      refuse_usage("--shard", "'" + *options.shard + "' is not valid (expected K/N, such as 2/8)");
    batch.shards = parse_integer("--shard", shard.substr(slash + 1), 1, 1 << 20);
    batch.shard = parse_integer("--shard", shard.substr(0, slash), 1, batch.shards);
  }
  batch.memory_limit =
      options.memory_limit ? parse_size("--memory-limit", *options.memory_limit) : default_memory_limit();
  batch.isolation = parse_isolation(options.isolation);
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
