// One workload: the engine and the peers, each result checked, then timed in turns.
#pragma once

#include <string>
#include <vector>

#include "bench/timing.h"
#include "bench/workload.h"

namespace convtool {

struct PeerTiming {
  std::string name;
  double difference = 0;  ///< the largest between its result and ours
  Timing timing;
};

/// What one number of threads gave.
struct Measurement {
  int threads = 1;
  std::string algorithm;   ///< that the engine chose
  std::string wrong;       ///< what is wrong with the engine's result; then nothing was timed
  Timing ours, with_plan;  ///< running a plan; making and running one
  std::vector<PeerTiming> peers;
  std::vector<std::string> notes;  ///< peers that were left out, and why; those that differ by more than one level

  /// The fastest; null when there is none.
  const PeerTiming* best_peer() const;
};

/// `min_seconds` of calls for each contender.
Measurement measure(const Workload& workload, int threads, double min_seconds);

}  // namespace convtool
