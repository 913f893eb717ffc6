// What is learned from: a picture before and after, and how far a layer is from making one of the other.
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
  bool whole_target = false;      ///< a picture of integers, to which whatever made it had to round
  ConvProblem problem;            ///< of the input; the target has its output shape
  std::int64_t learned_rows = 0;  ///< rows of the target from the top that are learned from; the others are held out

  /// The values of the target, or of anything of its shape, in rows that are learned from.
  std::int64_t learned_values() const { return target.shape().n * target.shape().c * learned_rows * target.shape().w; }
  std::int64_t held_out_values() const { return target.shape().count() - learned_values(); }
};

/// The first `rows` rows of every item and channel.
template <class Ref>
Ref top_rows(Ref tensor, std::int64_t rows) {
  tensor.shape.h = rows;
  return tensor;
}

/// Sums of squared errors.
struct Loss {
  double learned = 0;   ///< over rows that are learned from
  double held_out = 0;  ///< over the others
};

/// Runs the layer of `kernel` and puts its output minus the target, as floats, into `errors`, which has the target's
/// shape. Adds up their squares in double. Bit for bit the same for any number of threads. Throws std::bad_alloc.
Loss measure_errors(const Sample& sample, const Kernel& kernel, int threads, Tensor& errors);

/// The same sums over all samples, the errors forgotten.
Loss measure_loss(std::span<const Sample> samples, const Kernel& kernel, int threads);

enum class Rows { learned, held_out };

/// The sum of squared distances of targets, in rows of this kind, to the mean of their output channel over all samples:
/// the least loss of what does not look at the input. R^2 is 1 - loss / variation.
double variation(std::span<const Sample> samples, Rows rows = Rows::learned);

}  // namespace convtool
