// A job on a picture that need not be in memory: it is read from its file, filtered and written in bands of rows.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/job/job.h"
#include "cli/job/run_job.h"
#include "cli/job/source.h"
#include "network/band_run.h"

namespace convtool {

/// How a job is run in bands.
struct Bands {
  std::unique_ptr<const Plan> channel_plan;  ///< where each channel is a picture of its own: the plan for them, or null
  const BankPlan* bank;                      ///< that runs, of the job's plan or of `channel_plan`
  const BankPlan* scaling;                   ///< of the job's plan, where rows are scaled as they are read, or null
  BandRun run;
  RasterFormat format;  ///< of the output
  bool makes_grey = false;
  bool channels_last = false;  ///< of the input in memory
  BandStreams::Order order = BandStreams::Order::any;
};

/// A job with its bands, or the part of the job that needs the whole picture in memory, as the subject of a sentence.
/// The bands refer to `job->plan`, which has to outlive them; the job itself may be moved.
struct BandedPlan {
  std::optional<Job> job;
  std::optional<Bands> bands;
  std::string obstacle;
};

/// Plans what `spec` does to `source`, in bands if they are possible: that is, for one bank of kernels, perhaps after
/// an input scaling, from such a file to a file, device or pipe in such a format. Results are those of run_job(). Where
/// a kernel filters each channel of a tensor by itself, its channels are read and written one after another if all
/// together would take too much memory, or if the output has to be written from its first byte to its last. Throws as
/// plan_job() does.
BandedPlan plan_bands(const RasterSource& source, const Destination& destination, const FilterSpec& spec);

/// Reads, filters and writes all bands of `job`. Nothing is written before the first of them is filtered, and no file
/// is there until all of them are; `check` is called before it is made; a device or pipe may have received a part when
/// an error is thrown. Returns false, and leaves the output as it is, where `options` asks to keep it. `outcome` gets
/// no bytes. Where `spec` asks for surveys, `surveys` are added, for which the input is read twice more. Throws as
/// BandRun::run() and RasterWriter do, and Error(input) if the file has changed meanwhile.
[[nodiscard]] bool run_bands(const Bands& bands, const Job& job, const RasterSource& source,
                             const WriteOptions& options, const OutputCheck& check, const FilterSpec& spec,
                             Outcome& outcome, Surveys& surveys);

}  // namespace convtool
