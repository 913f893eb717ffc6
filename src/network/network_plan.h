// Banks and networks made ready for one input: each layer bound to its channels, planned, and run in order.
#pragma once

#include <vector>

#include "conv/plan.h"
#include "network/layer.h"

namespace convtool {

/// Makes engine weights of `layer` for an input of `c_i` channels: a rank-2 kernel is repeated for each channel, as a
/// depthwise convolution. `flip` rotates by 180 degrees, which makes it a true convolution.
/// Throws Error(shape) when the number of biases is neither 1 nor that of the output channels.
Kernel bind_kernel(const Layer& layer, std::int64_t c_i, bool flip);

/// The sizes of those weights.
KernelShape bind_shape(const Layer& layer, std::int64_t c_i);

/// The layer's options on an input of `c_i` channels: groups is c_i for a rank-2 kernel.
ConvParams bind_params(const Layer& layer, std::int64_t c_i);

/// A bank on one input shape. A combined bank is one plan whose epilogue joins channels; a stacked one is a plan for
/// each layer, each writing its own slice of output channels.
class BankPlan {
 public:
  /// Throws Error(shape) where a layer does not fit the input, or stacked outputs differ in height or width.
  BankPlan(const Bank& bank, DType input_dtype, const Shape& input, bool flip, const PlanOptions& options);

  Shape output_shape() const;
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map) const;
  ResponseStats measure(const ConstTensorRef& input) const;

  const std::vector<ConvPlan>& plans() const { return plans_; }

 private:
  std::vector<ConvPlan> plans_;
};

/// A network on one input shape. Intermediate results are f32; two of them exist at a time at most.
class NetworkPlan {
 public:
  /// Throws as BankPlan does; in a network of several banks the message names the layer that does not fit.
  NetworkPlan(const Network& network, DType input_dtype, const Shape& input, bool flip, const PlanOptions& options);

  Shape output_shape() const { return banks_.back().output_shape(); }

  /// Filters `input` into `output` (output_shape(), any type and strides, not overlapping the input).
  /// OutputMap::normalize runs the last bank twice instead of keeping its responses. `map` is not automatic.
  /// Throws Error(shape) when there is no finite range to normalize, std::bad_alloc when memory runs out.
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, OutputMap map) const;

  const std::vector<BankPlan>& banks() const { return banks_; }

 private:
  DType input_dtype_;
  std::vector<BankPlan> banks_;
};

}  // namespace convtool
