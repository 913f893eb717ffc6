// Helpers to construct samples for learning: pictures, and the result of a known layer.
#pragma once

#include <span>

#include "learn/sample.h"
#include "support/convolve.h"

namespace convtool {

/// A sample without held-out rows. `target` must have the output shape of the problem.
inline Sample sample_of(Tensor input, Tensor target, const KernelShape& kernel, const ConvParams& params = {}) {
  Sample sample{.input = std::move(input), .target = std::move(target)};
  sample.problem = make_problem(DType::f32, sample.input.shape(), kernel, params);
  sample.learned_rows = sample.target.shape().h;
  require(output_shape(sample.problem) == sample.target.shape(), "a target of the problem's output shape");
  return sample;
}

/// A sample whose target is `input` filtered with `kernel`.
inline Sample planted_sample(Tensor input, const Kernel& kernel, const ConvParams& params = {}) {
  Tensor target = convolve(std::as_const(input).ref(), kernel, params);
  return sample_of(std::move(input), std::move(target), kernel.shape, params);
}

/// One sample as a list of samples.
inline std::span<const Sample> only(const Sample& sample) { return {&sample, 1}; }

}  // namespace convtool
