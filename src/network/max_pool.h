// Max pooling: the largest value of each window of a channel.
#pragma once

#include "conv/plan.h"

namespace convtool {

/// nn.MaxPool2d on one input shape, without its dilation and ceil_mode. Padding never counts as the largest value; a
/// NaN does, as in PyTorch.
class MaxPool {
 public:
  /// `windows` comes from make_problem() for a depthwise kernel; its size, stride and pads are those of the windows.
  /// The pads are smaller than the kernel. Only the threads and totals of `options` are used.
  MaxPool(const ConvProblem& windows, const PlanOptions& options);

  /// The expected time on one thread, given the layouts in `options`.
  static double expected_nanoseconds(const ConvProblem& windows, const PlanOptions& options);

  /// As ConvPlan::run() and ConvPlan::measure().
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map) const;
  ResponseStats measure(const ConstTensorRef& input, const Strides& output) const;

  /// As ConvPlan::band().
  MaxPool band(const Range& rows, int threads) const;

  const ConvProblem& windows() const { return windows_; }
  int threads() const { return threads_; }
  double thread_memory() const;  ///< as ConvPlan::thread_memory()

 private:
  ConvProblem windows_;
  int threads_;
  bool totals_;
};

}  // namespace convtool
