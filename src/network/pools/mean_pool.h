// Mean pooling over windows that differ in size at the border. Means of equal windows are kernels of ones.
#pragma once

#include "conv/plan.h"

namespace convtool {

/// nn.AvgPool2d on one input shape, where windows may reach beyond the padding (ceil_mode) or padding may not count.
/// The sums are taken in double; so a mean of integers is rounded once.
class MeanPool {
 public:
  /// `windows` comes from pool_windows(), its dilation is 1. A mean divides by the pixels of its window that lie in the
  /// input, or with `counts_padding` also by those in `pads`, the layer's own. Only the threads and totals of `options`
  /// are used.
  MeanPool(const ConvProblem& windows, const Pads& pads, bool counts_padding, const Epilogue& epilogue,
           const PlanOptions& options);

  /// As those of MaxPool.
  static double expected_nanoseconds(const ConvProblem& windows, const PlanOptions& options);
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map) const;
  ResponseStats measure(const ConstTensorRef& input, const Strides& output) const;
  const ConvProblem& windows() const { return windows_; }
  int threads() const { return threads_; }
  double thread_memory() const;

 private:
  ConvProblem windows_;
  Pads pads_;
  bool counts_padding_;
  Epilogue epilogue_;
  int threads_;
  bool totals_;
};

/// The number of pixels by which a mean divides along one axis: those of window `j`, of `extent` pixels, that lie in
/// the input or, with `counts_padding`, in its padding.
std::int64_t divided_by(std::int64_t j, std::int64_t stride, std::int64_t extent, std::int64_t in,
                        std::int64_t pad_begin, std::int64_t pad_end, bool counts_padding);

}  // namespace convtool
