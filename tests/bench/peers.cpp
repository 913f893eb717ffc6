#include "peer.h"

namespace convtool {

std::vector<Peer> peers() {
  std::vector<Peer> all;
  const auto add = [&](const std::vector<Peer>& more) { all.insert(all.end(), more.begin(), more.end()); };
  add(opencv_peers());
#ifdef CONVTOOL_BENCH_ONEDNN
  add(onednn_peers());
#endif
#ifdef CONVTOOL_BENCH_VIPS
  add(vips_peers());
#endif
#ifdef CONVTOOL_BENCH_FFTW
  add(fftw_peers());
#endif
  return all;
}

}  // namespace convtool
