// One input of a batch, which may have several pictures.
#pragma once

#include "cli/batch/filter_input.h"
#include "cli/job/output_name.h"

namespace convtool {

/// Filters an input: each picture of a stream as it arrives, the frames of a video, the chosen pages of a TIFF, or the
/// one picture or tensor of any other input. Failures are reported, as by filter_input(). Throws only what `sink`
/// throws. Thread-safe.
void run_input(const Input& input, const Destination& planned, const RunContext& run, const ReportSink& sink);

}  // namespace convtool
