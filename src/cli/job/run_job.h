// Runs a job: filters, then encodes.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/job/job.h"
#include "cli/job/surveys.h"
#include "files/file.h"

namespace convtool {

/// Throws Error where the file `path` must not be written. Called just before it is: another program may have made it a
/// link to an input since it was planned.
using OutputCheck = std::function<void(const std::string& path)>;

struct Outcome {
  Buffer bytes;  ///< the encoded result
  Bytes sheet;   ///< of Destination::sheet, for which the plan has run once more; else empty
  PlanResult result;
  double decode_seconds = 0;  ///< where that is part of running the job
  double convolve_seconds = 0, encode_seconds = 0;
};

/// Filters `source` into `output`, which has the shape and type of `job` and the layout that its format stores, and
/// puts the alpha that was set aside into the last channel. `observer` may be empty. Otherwise as run_job().
PlanResult filter_source(const Job& job, const Source& source, const std::optional<Image>& picture,
                         const FilterSpec& spec, const LayerObserver& observer, const TensorRef& output);

/// Filters `source` into memory of the kind that the format needs, and encodes it. The source is freed between the two,
/// so that its pixels and the encoded bytes need not be in memory together. The results of layers are written to the
/// files of `job.destination.layers`, after `check`; with `keeps_existing` existing ones are not replaced. An overlay
/// is painted on `picture`. Where `spec` asks for surveys, those of responses and output are added to `surveys`, and
/// the time they take is not counted, except that of running the last layer of a network again. Throws as Plan::run()
/// and the encoders do, and Error(output) for a layer's file.
Outcome run_job(const Job& job, std::optional<Source> source, std::optional<Image> picture, const FilterSpec& spec,
                bool keeps_existing, const OutputCheck& check, Surveys& surveys);

}  // namespace convtool
