// Measures how long a call takes, and how much that varies.
#pragma once

#include <functional>
#include <vector>

namespace convtool {

/// Seconds per call, over several samples.
struct Timing {
  double median = 0, least = 0;
  double lower_quartile = 0, upper_quartile = 0;  ///< half of the samples lie between them

  /// The distance between the quartiles, relative to the median.
  double spread() const { return (upper_quartile - lower_quartile) / median; }
};

/// `samples` is not empty. Quantiles are interpolated between neighbours (Hyndman and Fan, "Sample quantiles in
/// statistical packages", 1996, definition 7).
Timing summarize(std::vector<double> samples);

/// Times `contenders` in turn, one sample each per round, so that other load on the machine affects all of them alike.
/// There are at least 7 rounds (3 if a call takes longer than 2 s) and at least `min_seconds` of calls for each
/// contender. Each sample has enough calls for that. Before each sample there is a pause, in which the threads of the
/// previous contender go to sleep, and one call that is not counted. Each contender must have run once before, so that
/// its memory is mapped.
std::vector<Timing> time_in_turns(const std::vector<std::function<void()>>& contenders, double min_seconds);

}  // namespace convtool
