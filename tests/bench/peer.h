// Another library that computes what the engine computes. Each has one file, and one row of the table in peers.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/workload.h"
#include "core/tensor.h"

namespace convtool {

/// A workload made ready for a peer: plans, prepacked weights and layouts of its own are there already.
struct PeerRun {
  std::function<void()> run;            ///< what is timed
  std::function<void()> fetch = [] {};  ///< puts the result into the output, where run() leaves it elsewhere; not timed
};

/// One function of a library.
struct Peer {
  std::string name;  ///< "OpenCV filter2D"
  bool (*applies)(const Workload& workload);
  /// Sets the library's number of threads, which is one for the process. `input` and `output` are channels-last and
  /// outlive the PeerRun.
  PeerRun (*prepare)(const Workload& workload, const ConstTensorRef& input, const TensorRef& output, int threads);
  /// Results of a library that rounds weights or intermediate sums may differ by so many levels of an integer output.
  /// One level is always allowed.
  double levels = 1;
};

/// Those that were built in.
std::vector<Peer> peers();

std::vector<Peer> opencv_peers();
std::vector<Peer> onednn_peers();
std::vector<Peer> vips_peers();
std::vector<Peer> fftw_peers();

}  // namespace convtool
