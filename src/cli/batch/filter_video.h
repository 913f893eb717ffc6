// A YUV4MPEG2 video, filtered frame by frame.
#pragma once

#include <string>

#include "cli/batch/filter_input.h"
#include "files/stream_reader.h"

namespace convtool {

/// Filters the video of `stream`, which begins with its header, to `planned`, and reports on it. Frames are read while
/// others are filtered, so memory does not grow with their number. A file is written all or nothing; a stream gets each
/// frame as soon as it is done. `record` is that of the input before it was opened. Failures are reported as by
/// filter_input().
RunReport filter_video(const std::string& input, StreamReader& stream, const std::optional<FileRecord>& record,
                       const Destination& planned, const RunContext& run);

}  // namespace convtool
