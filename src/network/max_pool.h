// Max pooling: what a window of a channel becomes is its largest value.
#pragma once

#include "conv/plan.h"

namespace convtool {

/// nn.MaxPool2d on one input shape, without its dilation and ceil_mode. Padding is never the largest; a NaN is, as in
/// PyTorch.
class MaxPool {
 public:
  /// `windows` comes from make_problem() of a kernel with a plane for each channel, whose size, stride and pads count;
  /// the pads are less than the kernel. Of `options` threads and totals count.
  MaxPool(const ConvProblem& windows, const PlanOptions& options);

  /// How long it is expected to run on one thread, by the layouts that `options` tell of.
  static double expected_nanoseconds(const ConvProblem& windows, const PlanOptions& options);

  /// As ConvPlan::run() and ConvPlan::measure().
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map) const;
  ResponseStats measure(const ConstTensorRef& input, const Strides& output) const;

  const ConvProblem& windows() const { return windows_; }
  int threads() const { return threads_; }

 private:
  ConvProblem windows_;
  int threads_;
  bool totals_;
};

}  // namespace convtool
