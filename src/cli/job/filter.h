// One input through a network or an edge recipe: read, decode, filter, encode, write.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "cli/batch/memory.h"
#include "cli/batch/output_check.h"
#include "cli/batch/resume.h"
#include "cli/job/destination.h"
#include "cli/job/source.h"
#include "cli/terminal/progress.h"
#include "conv/plan.h"
#include "edges/recipe.h"
#include "network/layer.h"
#include "pictures/encode_options.h"
#include "report/run_report.h"

namespace convtool {

/// What is the same for every input of a run.
struct FilterOptions {
  Network network;                  ///< with `edges` the recipe's kernels
  std::optional<EdgeRecipe> edges;  ///< none: the network's response is the result
  bool angle_asked = false;         ///< the recipe's angle holds; else a wheel for pictures of integers, else radians
  bool flip = false;
  bool grey = false;
  AlphaRule alpha = AlphaRule::keep;
  std::optional<OutputMap> map;                      ///< none: the kernel's, else automatic
  std::optional<std::array<double, 2>> percentiles;  ///< Mapping::percentiles, with map normalize
  std::optional<double> threshold;                   ///< Mapping::threshold
  std::optional<DType> depth;                        ///< none: the input's
  EncodeOptions encode;
  PlanOptions plan;
  ProgressMode progress = ProgressMode::automatic;
  int jobs = 1;                        ///< inputs at a time
  std::int64_t shard = 1, shards = 1;  ///< of all inputs the first of so many equal slices, the second, ...
  std::int64_t max_pixels = 0;
  std::int64_t memory_limit = 0;  ///< bytes for all inputs in flight together
  bool dumps_layers = false;      ///< destinations have room for what each layer makes
  bool dry_run = false;
  bool no_clobber = false;  ///< skip an input all of whose outputs exist
};

/// Whether the colours of pictures become luma first.
bool makes_grey(const FilterOptions& options);

/// Whether the result of an input of this name may be floats, for which a derived name may yet take another extension:
/// known for certain once it is decoded.
bool may_be_floats(const std::string& input, const FilterOptions& options);

/// What all inputs of a run share.
struct RunContext {
  const FilterOptions& options;
  const ReadFiles& read;        ///< files that must not be written to
  const OutputOwners& owners;   ///< files that are another input's
  const ListedFolders& listed;  ///< folders in which outputs would be inputs
  MemoryBudget& budget;         ///< which an input may have to wait for
  Resume* resume;               ///< null without --manifest
};

/// Filters `input` into `destination` and fills `report` as far as it gets. From several threads at once. Throws Error
/// for what goes wrong with this input; then nothing has been written but what layers made before, where it is asked
/// for, and what a manifest could not record, which the message says.
void filter_file(const std::string& input, const Destination& destination, const RunContext& run, RunReport& report);

}  // namespace convtool
