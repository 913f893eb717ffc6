// Banks and networks made ready for one input: each layer bound to its channels, planned, and run in order.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "conv/plan.h"
#include "network/layer.h"
#include "network/max_pool.h"

namespace convtool {

/// Makes engine weights of `layer` for an input of `c_i` channels: a rank-2 kernel is repeated for each channel, as a
/// depthwise convolution. `flip` rotates by 180 degrees, which makes it a true convolution. The number of biases is
/// that of bank_geometry(), which checks it.
Kernel bind_kernel(const Layer& layer, std::int64_t c_i, bool flip);

/// What a bank makes of an input, apart from the numbers.
struct BankGeometry {
  std::vector<ConvProblem> problems;  ///< one for each layer; groups is the channel count for a rank-2 kernel
  Shape output;                       ///< the layers' channels joined or stacked
};

/// Throws Error(shape) where a layer does not fit the input, its biases do not match its output channels, or outputs to
/// be stacked differ in height or width.
BankGeometry bank_geometry(const Bank& bank, DType input_dtype, const Shape& input);

/// A bank on one input shape. A combined bank is one plan whose epilogue joins channels; a stacked one is a plan for
/// each layer, each writing its own slice of output channels. A max pool has none: the algorithm asked for is that of
/// kernels, and it is pooled in its own way whatever that is.
class BankPlan {
 public:
  /// Throws as bank_geometry() and ConvPlan do.
  BankPlan(const Bank& bank, DType input_dtype, const Shape& input, bool flip, const PlanOptions& options);

  const Shape& output_shape() const { return geometry_.output; }
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map) const;
  ResponseStats measure(const ConstTensorRef& input, const Strides& output) const;

  const BankGeometry& geometry() const { return geometry_; }
  const std::vector<ConvPlan>& plans() const { return plans_; }

  /// Of the first kernel, or the max pool.
  const ConvProblem& problem() const { return pool_ ? pool_->windows() : plans_.front().problem(); }
  std::string_view algorithm() const { return pool_ ? "pool" : plans_.front().algorithm(); }
  int threads() const { return pool_ ? pool_->threads() : plans_.front().threads(); }

 private:
  BankGeometry geometry_;
  std::vector<ConvPlan> plans_;
  std::optional<MaxPool> pool_;
};

/// Each channel by itself, unchanged: the engine's maps and stores for what is computed elsewhere.
/// `options` count but for the algorithm.
BankPlan identity_plan(DType dtype, const Shape& shape, const PlanOptions& options);

/// Runs `bank` into `output` (its output_shape(), any type and strides, not overlapping the input) by way of `mapping`,
/// which is not automatic. `units` is the element type that the responses are in the units of. What needs all responses
/// before the first value runs the bank twice instead of keeping them: normalize twice, but with percentiles it keeps
/// them in f32; signs four times, into the R, G and B of `output`, where the bank's own output has one channel.
/// Throws Error(shape) when there is no finite range to normalize, std::bad_alloc when memory runs out.
ResponseStats run_mapped(const BankPlan& bank, const ConstTensorRef& input, DType units, const TensorRef& output,
                         const Mapping& mapping);

/// Is shown what each bank of a network makes, f32 in any layout, for as long as the call takes.
using LayerObserver = std::function<void(std::size_t bank, const ConstTensorRef& responses)>;

/// A network on one input shape. Intermediate results are f32; two of them exist at a time at most. Each is planar or
/// has the channels of a pixel side by side, whichever lets the banks before and after it run fastest together.
class NetworkPlan {
 public:
  /// Throws as BankPlan does; in a network of several banks the message names the layer that does not fit.
  NetworkPlan(const Network& network, DType input_dtype, const Shape& input, bool flip, const PlanOptions& options);

  const Shape& output_shape() const { return banks_.back().output_shape(); }

  /// Filters `input` into `output`; the last bank as run_mapped() does, the others into f32. For an observer the last
  /// bank runs once more, into f32 too.
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const Mapping& mapping,
                    const LayerObserver& observer = {}) const;

  const std::vector<BankPlan>& banks() const { return banks_; }

 private:
  DType input_dtype_;
  std::vector<BankPlan> banks_;
  std::vector<bool> channels_last_;  ///< of each bank's result
};

}  // namespace convtool
