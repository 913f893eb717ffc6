// How to run a batch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/batch/inputs/inputs.h"
#include "cli/batch/inputs/manifest.h"
#include "cli/batch/page_file.h"
#include "cli/job/output_name.h"
#include "cli/terminal/terminal.h"
#include "files/file.h"
#include "pictures/isolation/picture_decoder.h"

namespace convtool {

/// All options of a batch but the filter, which is a FilterSpec.
struct BatchOptions {
  InputOptions inputs;
  DestinationOptions destination;
  std::vector<std::string> kernel_files;  ///< read by the run: never inputs, never overwritten
  std::optional<std::string> manifest;    ///< file that records outputs; inputs that are up to date are skipped
  std::optional<PageOptions> page;        ///< a report to write
  RecordedOptions recorded;               ///< for the manifest: the options that affect outputs
  std::int64_t shard = 1, shards = 1;     ///< process slice `shard` of `shards` slices of all inputs
  std::int64_t memory_limit = 0;          ///< bytes for all inputs processed at the same time
  Isolation isolation = Isolation::automatic;
  int jobs = 1;             ///< inputs processed at the same time
  bool no_clobber = false;  ///< skip inputs whose outputs all exist
  bool dry_run = false;     ///< write nothing
  bool fail_fast = false;   ///< stop at the first failure
  bool json = false, quiet = false, verbose = false;
  ProgressMode progress = ProgressMode::automatic;

  /// How large an input may be.
  SizeLimits size_limits() const {
    return {.bytes = static_cast<std::size_t>(memory_limit), .advice = "; raise --memory-limit"};
  }
};

}  // namespace convtool
