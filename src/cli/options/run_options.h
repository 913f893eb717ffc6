// The options that apply and edges share: inputs, outputs, and the course of the run.
#pragma once

#include <optional>
#include <string>

#include "cli/batch/batch_options.h"
#include "cli/options/command_line.h"

namespace convtool {

/// As given on the command line; cli/options/resolve_options.h checks them and converts them to numbers.
struct RunOptions {
  const Command* command = nullptr;  ///< which they belong to
  InputOptions inputs;
  std::optional<std::string> shard, memory_limit, manifest, report;
  DestinationOptions destination;
  std::optional<std::string> map, percentiles, threshold, signed_zero, quality, png_level, png_strategy,
      tiff_compression;
  std::optional<std::string> planes, pages;
  std::string depth = "same", alpha = "keep", algorithm = "auto", threads = "0", jobs = "1", progress = "auto",
              isolation = "auto";
  std::string max_pixels = std::to_string(std::int64_t{1} << 30);
  bool strip = false, pretty = false, no_clobber = false, fail_fast = false, dry_run = false, json = false,
       quiet = false, verbose = false;
};

/// Adds INPUT and the groups Input, Output and Run to `command`. `options` must outlive the command.
void add_run_options(Command& command, RunOptions& options);

/// Adds --map to --alpha: from responses to stored values.
void add_value_options(Command& command, RunOptions& options);

/// The option --algorithm, of any command.
Option algorithm_option(RunOptions& options);

}  // namespace convtool
