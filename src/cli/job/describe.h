// Builds the report on one input from what happened to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/job/job.h"
#include "cli/job/run_job.h"
#include "report/run_report.h"

namespace convtool {

/// The results of the steps for one input. If a step fails, the members of the later ones stay empty.
struct Attempt {
  std::string input;  ///< the path as given, or "-"
  std::optional<InputPart> part = std::nullopt;
  std::string output;  ///< the path, as far as it is known
  std::optional<SkipReason> skipped;
  std::optional<std::int64_t> memory;                  ///< memory_needed(), once the header is read
  std::vector<Remark> warnings;                        ///< once it is decoded
  std::optional<Job> job;                              ///< once it is planned
  std::optional<Outcome> outcome;                      ///< once it has run; never in a dry run
  std::optional<std::int64_t> frames = std::nullopt;   ///< of a video, once they are written
  std::optional<std::int64_t> largest = std::nullopt;  ///< sample of a video
  std::int64_t frame_responses = 0;                    ///< how many responses each of them has, in all its planes
  double decode_seconds = 0, write_seconds = 0;
};

/// For an input that failed the caller adds the error.
RunReport describe(const Attempt& attempt, const FilterSpec& spec);

}  // namespace convtool
