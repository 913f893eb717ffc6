// Filtering colours weighted by their alpha, so that transparent pixels count less.
#pragma once

#include "network/network_plan.h"

namespace convtool {

/// Normalized convolution with alpha as the certainty (H. Knutsson and C.-F. Westin, Normalized and differential
/// convolution, 1993). With a the alpha from 0 to 1 and S the sum of the weights,
///   alpha of the result   A = filter(a) / S
///   colours of the result C = filter(colour * a) / A, and 0 where A is not above 0.
/// So the colours of transparent pixels do not count, and an opaque picture is filtered as if it had no alpha, except
/// that padding with zeros is transparent.
class PremultipliedPlan {
 public:
  /// The last channel of `input` is the alpha. Throws Error(shape) unless every layer is a single kernel that filters
  /// each channel separately, without bias, activation or padding by a constant other than 0, and whose weights have a
  /// sum above 0. Throws as NetworkPlan does.
  PremultipliedPlan(const Network& network, DType input_dtype, const Shape& input, bool flip,
                    const PlanOptions& options);

  /// The plan of the colours and, as the last channel, the alpha.
  const NetworkPlan& network() const { return network_; }

  /// Filters `input` into `output`, any type and strides. Colours are mapped by `mapping`; alpha is rescaled as by
  /// resample_alpha(), with saturation. The statistics are those of the colours. Needs f32 copies of input and output.
  /// An observer receives once, as the last bank, the responses of the colours. Throws as run_mapped() does.
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const Mapping& mapping,
                    const LayerObserver& observer = {}) const;

 private:
  DType input_dtype_;
  PlanOptions options_;
  double weight_sum_ = 1;
  NetworkPlan network_;
};

}  // namespace convtool
