// The interface to other libraries that compute convolutions. Each library has one file, and one row of the table in
// peers.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/workload.h"
#include "core/tensor.h"

namespace convtool {

/// A workload prepared for a peer: plans, packed weights and the peer's own layouts already exist.
struct PeerRun {
  std::function<void()> run;            ///< the timed part
  std::function<void()> fetch = [] {};  ///< copies the result to the output if run() leaves it elsewhere; not timed
};

/// One function of a library.
struct Peer {
  std::string name;  ///< "OpenCV filter2D"
  bool (*applies)(const Workload& workload);
  /// Sets the library's number of threads, which is global to the process. `input` and `output` are channels-last and
  /// outlive the PeerRun.
  PeerRun (*prepare)(const Workload& workload, const ConstTensorRef& input, const TensorRef& output, int threads);
  /// The difference allowed from our result, in levels of an integer output. It is at least 1, and more for libraries
  /// that round weights or intermediate sums.
  double levels = 1;
};

/// The peers that this build includes.
std::vector<Peer> peers();

std::vector<Peer> opencv_peers();
std::vector<Peer> onednn_peers();
std::vector<Peer> vips_peers();
std::vector<Peer> fftw_peers();

}  // namespace convtool
