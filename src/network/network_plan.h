// A network prepared for one input shape: its banks planned, and run in order.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "network/bank_plan.h"
#include "network/layer.h"

namespace convtool {

/// Receives the responses of each bank of a network, f32 in any layout, valid during the call.
using LayerObserver = std::function<void(std::size_t bank, const ConstTensorRef& responses)>;

/// Throws Error(shape) if `shape`, which is at least 1 along every dimension, has more than `max_pixels` pixels, and
/// Error(memory) if it has more elements than any machine can hold. `what` begins the message.
void check_plannable(const Shape& shape, std::int64_t max_pixels, const char* what);

/// A network on one input shape. Intermediate results are f32, and at most two of them exist at a time, besides those
/// that a later bank adds or reads. Each is planar or channels last, whichever is expected to make the banks before and
/// after it fastest together.
class NetworkPlan {
 public:
  /// Throws as BankPlan does, and as check_plannable() for the input and for the result of each bank, before anything is
  /// planned; in a network of several banks the message names the layer.
  NetworkPlan(const Network& network, DType input_dtype, const Shape& input, bool flip, const PlanOptions& options);

  const Shape& output_shape() const { return banks_.back().output_shape(); }

  /// Filters `input` into `output`: the last bank as run_mapped() does, the others into f32. With an observer, the last
  /// bank runs once more, into f32.
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const Mapping& mapping,
                    const LayerObserver& observer = {}) const;

  const std::vector<BankPlan>& banks() const { return banks_; }

 private:
  class Results;

  DType input_dtype_;
  int threads_;
  std::vector<BankPlan> banks_;
  std::vector<bool> channels_last_;  ///< of each bank's result
  std::vector<std::optional<std::size_t>> addends_, sources_;
  std::vector<std::size_t> last_uses_;
};

}  // namespace convtool
