// Max pooling: the largest value of each window of a channel.
#pragma once

#include "conv/plan.h"

namespace convtool {

/// nn.MaxPool2d on one input shape. Padding never counts as the largest value; a NaN does, as in PyTorch. A window that
/// sees nothing but padding, as one with dilation may, gives minus infinity.
class MaxPool {
 public:
  /// `windows` comes from pool_windows(). Only the threads and totals of `options` are used.
  MaxPool(const ConvProblem& windows, const Epilogue& epilogue, const PlanOptions& options);

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
  Epilogue epilogue_;
  int threads_;
  bool totals_;
};

}  // namespace convtool
