// The pictures of a stream, filtered as they arrive.
#pragma once

#include <string>

#include "cli/batch/filter_input.h"
#include "files/stream_reader.h"

namespace convtool {

/// Filters the pictures of `stream`, which PictureStream can follow, to `planned`, and reports on each. Pictures are
/// read while others are filtered, and written in their order, each as soon as it is done, so memory does not grow with
/// their number. A picture that fails is left out. Errors are reported, except those that run_input() reports.
void filter_stream(const Input& input, StreamReader& stream, const Destination& planned, const RunContext& run,
                   const ReportSink& sink);

}  // namespace convtool
