// How long something takes, and how sure that is.
#pragma once

#include <functional>
#include <vector>

namespace convtool {

/// Seconds that one call took, over several samples.
struct Timing {
  double median = 0, least = 0;
  double lower_quartile = 0, upper_quartile = 0;  ///< half of the samples lie between them

  /// The distance of the quartiles as a part of the median.
  double spread() const { return (upper_quartile - lower_quartile) / median; }
};

/// `samples` is not empty. Quantiles are interpolated between neighbours (Hyndman and Fan, "Sample quantiles in
/// statistical packages", 1996, definition 7).
Timing summarize(std::vector<double> samples);

/// Times `contenders` in turns, so that what else the machine does meets all of them: round after round, one sample of
/// each. There are at least 7 rounds, 3 when a call takes longer than 2 s, and no less than `min_seconds` of calls for
/// each contender. A sample is as many calls as that takes, after a pause in which the threads of the one before go to
/// sleep, and a call that is not counted. Each contender has run once before, and so has touched its memory.
std::vector<Timing> time_in_turns(const std::vector<std::function<void()>>& contenders, double min_seconds);

}  // namespace convtool
