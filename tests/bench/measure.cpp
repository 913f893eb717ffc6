#include "measure.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include "check.h"
#include "conv/plan.h"
#include "core/text.h"
#include "peer.h"

namespace convtool {
namespace {

void fill_with(Tensor& tensor, int byte) {
  std::memset(tensor.ref().data, byte, static_cast<std::size_t>(tensor.shape().count() * size_of(tensor.dtype())));
}

/// Runs the peer once and compares its result with ours. Adds the peer to the contenders if the difference is within
/// the peer's own tolerance, and adds a note if it is above the usual one.
void add_peer(const Peer& peer, const PeerRun& prepared, const Workload& workload, Tensor& ours, Tensor& theirs,
              std::vector<std::function<void()>>& contenders, Measurement& result) {
  fill_with(theirs, 0xff);
  prepared.run();
  prepared.fetch();
  const double difference = largest_difference(channels_last(ours), channels_last(theirs));
  const bool levels = is_integer(workload.output_dtype);
  const double usual = levels ? 1 : allowed_difference(workload);
  const bool near_enough = difference <= (levels ? peer.levels : usual);
  if (near_enough) {
    contenders.push_back(prepared.run);
    result.peers.push_back({.name = peer.name, .difference = difference});
  }
  if (!(difference <= usual)) {
    result.notes.push_back(peer.name + (near_enough ? "" : " is left out: it") + " differs by " + to_text(difference));
  }
}

}  // namespace

const PeerTiming* Measurement::best_peer() const {
  const auto best = std::min_element(peers.begin(), peers.end(), [](const PeerTiming& a, const PeerTiming& b) {
    return a.timing.median < b.timing.median;
  });
  return best == peers.end() ? nullptr : &*best;
}

Measurement measure(const Workload& workload, int threads, double min_seconds) {
  Tensor input = make_input(workload);
  Tensor ours(workload.output_dtype, workload.output_shape()), theirs(workload.output_dtype, ours.shape());
  const TensorRef from = channels_last(input), to = channels_last(ours), to_theirs = channels_last(theirs);
  const auto make_plan = [&] {
    return ConvPlan(
        workload.problem, workload.kernel, workload.epilogue,
        PlanOptions{
            .algorithm = "auto", .threads = threads, .input_channels_last = true, .output_channels_last = true});
  };
  const ConvPlan plan = make_plan();
  Measurement result{.threads = threads, .algorithm = std::string(plan.algorithm())};
  fill_with(ours, 0xff);  // NaN in f32
  plan.run(from, to);
  result.wrong = check_by_definition(workload, from, to, plan.algorithm());
  if (!result.wrong.empty()) return result;

  std::vector<std::function<void()>> contenders = {[&] { plan.run(from, to); }, [&] { make_plan().run(from, to); }};
  for (const Peer& peer : peers()) {
    if (!peer.applies(workload)) continue;
    try {
      add_peer(peer, peer.prepare(workload, from, to_theirs, threads), workload, ours, theirs, contenders, result);
    } catch (const std::exception& error) {
      result.notes.push_back(peer.name + " is left out: " + error.what());
    }
  }

  const std::vector<Timing> timings = time_in_turns(contenders, min_seconds);
  result.ours = timings[0];
  result.with_plan = timings[1];
  for (std::size_t i = 0; i < result.peers.size(); ++i) result.peers[i].timing = timings[2 + i];
  return result;
}

}  // namespace convtool
