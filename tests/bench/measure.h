// Measures one workload: checks the results of the engine and its peers, then times them in turns.
#pragma once

#include <string>
#include <vector>

#include "bench/timing.h"
#include "bench/workload.h"

namespace convtool {

struct PeerTiming {
  std::string name;
  double difference = 0;  ///< the largest between the peer's result and ours
  Timing timing;
};

/// The results of one workload on one number of threads.
struct Measurement {
  int threads = 1;
  std::string algorithm;   ///< the engine's choice
  std::string wrong;       ///< describes an error in the engine's result, or ""; with an error nothing was timed
  Timing ours, with_plan;  ///< running a plan; creating and running one
  std::vector<PeerTiming> peers;
  std::vector<std::string> notes;  ///< about peers left out, and peers that differ from ours by more than usual

  /// The fastest peer, or null if there are no peers.
  const PeerTiming* best_peer() const;
};

/// Measures `workload`. Calls of each contender take `min_seconds` or more.
Measurement measure(const Workload& workload, int threads, double min_seconds);

}  // namespace convtool
