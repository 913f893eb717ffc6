// Pictures filtered with their alpha: what is seen through counts less.
#pragma once

#include "network/network_plan.h"

namespace convtool {

/// Normalized convolution with alpha as the certainty (H. Knutsson and C.-F. Westin, Normalized and differential
/// convolution, 1993). With a the alpha from 0 to 1 and S the sum of the weights,
///   alpha of the result   A = filter(a) / S
///   colours of the result C = filter(colour * a) / A, and 0 where A is not above 0.
/// So colours under transparent pixels count nothing, and an opaque picture is filtered as if it had no alpha, but for
/// padding with zeros, which is transparent.
class PremultipliedPlan {
 public:
  /// `input` counts the alpha, as the last channel. Throws Error(shape) unless every layer is one kernel that filters
  /// each channel alone, without bias, activation or padding by another constant than 0, and whose weights have a sum
  /// above 0; and as NetworkPlan does.
  PremultipliedPlan(const Network& network, DType input_dtype, const Shape& input, bool flip,
                    const PlanOptions& options);

  /// Its output counts the alpha, as the last channel.
  const NetworkPlan& network() const { return network_; }

  /// Filters `input` into `output`, any type and strides: colours by way of `mapping`, alpha as resample_alpha()
  /// rescales it, saturating. The statistics are those of the colours. Works on f32 copies of both. Throws as
  /// run_mapped() does.
  ResponseStats run(const ConstTensorRef& input, const TensorRef& output, const Mapping& mapping) const;

 private:
  DType input_dtype_;
  PlanOptions options_;
  double weight_sum_ = 1;
  NetworkPlan network_;
};

}  // namespace convtool
