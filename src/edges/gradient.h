// Gradients: the responses of a pair of kernels as vectors, for one colour or several.
#pragma once

#include "core/tensor.h"
#include "edges/recipe.h"

namespace convtool {

/// A rotation of the two responses of a pair of kernels into a vector to the right and downwards, as a 2x2 matrix.
struct Turn {
  double xx = 1, xy = 0, yx = 0, yy = 1;

  bool is_none() const { return xx == 1 && xy == 0 && yx == 0 && yy == 1; }
};

/// The rotation that the kernels need, found from their responses to a ramp along each axis: none for Sobel and similar
/// pairs, 45 degrees for Roberts. Throws Error(kernel) when the responses do not distinguish the axes.
Turn turn_of(const Bank& pair);

/// Rotates every vector in place. `vectors` has two f32 channels, whose columns are adjacent in memory.
void turn_vectors(const Turn& turn, const TensorRef& vectors, int threads);

/// The length of every vector: the root of the sum of squares, or with `l1` the sum of absolute values. `vectors` has
/// two f32 channels and `lengths` one, of the same n, h and w. Columns are adjacent in memory.
void measure_lengths(const ConstTensorRef& vectors, bool l1, const TensorRef& lengths, int threads);

/// Combines the gradients of C colours into one by `rule`, which is not luma. `colours` has 2 * C f32 channels: the
/// responses of the first kernel to each colour, then those of the second. `gradient` has two channels, which may be
/// channels 0 and C of `colours`. `strength` receives its length in the norm. di_zenzo has no l1.
void join_colours(ColorRule rule, bool l1, const ConstTensorRef& colours, const TensorRef& gradient,
                  const TensorRef& strength, int threads);

/// Combines the strengths of several colours into the largest or the sum, in f32. `strength` has one channel, which may
/// be the first of `colours`. If one colour is NaN, so is the result.
void join_strengths(ColorRule rule, const ConstTensorRef& colours, const TensorRef& strength, int threads);

}  // namespace convtool
