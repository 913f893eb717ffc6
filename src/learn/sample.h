// Training data: a picture before and after, and the errors of a layer on it.
#pragma once

#include <cstdint>
#include <span>

#include "conv/kernel.h"
#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// One pair. Owns its tensors, which are f32, planar and finite.
struct Sample {
  Tensor input, target;
  bool whole_target = false;      ///< a picture of integers, so its values were rounded
  ConvProblem problem;            ///< of the input; the target has its output shape
  std::int64_t learned_rows = 0;  ///< training rows of the target, from the top; the others are held out

  /// The number of values of the target in training rows.
  std::int64_t learned_values() const { return target.shape().n * target.shape().c * learned_rows * target.shape().w; }
  std::int64_t held_out_values() const { return target.shape().count() - learned_values(); }
};

/// A view of the first `rows` rows of every item and channel.
template <class Ref>
Ref top_rows(Ref tensor, std::int64_t rows) {
  tensor.shape.h = rows;
  return tensor;
}

/// Sums of squared errors.
struct Loss {
  double learned = 0;   ///< over training rows
  double held_out = 0;  ///< over held-out rows
};

/// Runs the layer with `kernel` and stores its output minus the target, as floats, in `errors`, which has the target's
/// shape. Sums their squares in double. The result is bit for bit the same for any number of threads. Throws
/// std::bad_alloc.
Loss measure_errors(const Sample& sample, const Kernel& kernel, int threads, Tensor& errors);

/// The loss over all samples.
Loss measure_loss(std::span<const Sample> samples, const Kernel& kernel, int threads);

enum class Rows { learned, held_out };

/// The sum of squared distances of the targets, in rows of this kind, from the mean of their output channel over all
/// samples: the least loss of a prediction that ignores the input. R^2 is 1 - loss / variation.
double variation(std::span<const Sample> samples, Rows rows = Rows::learned);

}  // namespace convtool
