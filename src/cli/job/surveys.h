// What a report page shows of the pictures of a job.
#pragma once

#include <array>
#include <functional>
#include <optional>

#include "cli/job/job.h"
#include "files/raster_file.h"
#include "show/survey.h"

namespace convtool {

struct Surveys {
  std::optional<SurveyOptions> options;  ///< how to make them; none: nothing is surveyed
  std::optional<SurveyResult> before, responses, after, sheet;
  std::optional<std::array<double, 2>> kept;  ///< kept_range()
};

/// Fills `rows`, of the type and channels of the input, with those of picture `n` from row `first` on. Thread-safe.
using RowSource = std::function<void(std::int64_t n, std::int64_t first, const TensorRef& rows)>;

/// The histogram of the responses of `bank`, which has bands: they are computed once more, in bands of rows, so that
/// they need not be in memory together. `channels_last`: of the input as it is read.
SurveyResult survey_responses(const BankPlan& bank, bool channels_last, const RowSource& read, int threads,
                              SurveyOptions options);

/// A source of rows of `input`, a view that outlives it.
RowSource rows_of(const ConstTensorRef& input);

/// How the channels of the result are shown; nothing for a tensor.
std::optional<PixelFormat> pixels_of(const Job& job);

/// Reads a file from the first row to the last.
SurveyResult survey_file(const RasterReader& reader, const std::optional<PixelFormat>& pixels,
                         const SurveyOptions& options);

/// The responses that the output stores without clipping, where it is an integer type; `stats` are those of the run.
/// Nothing where all are stored, and with a threshold.
std::optional<std::array<double, 2>> kept_range(const Job& job, const ResponseStats& stats);

}  // namespace convtool
