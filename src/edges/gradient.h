// Gradients: the responses of a pair of kernels as vectors, of one colour or several.
#pragma once

#include "core/tensor.h"
#include "edges/recipe.h"

namespace convtool {

/// A 2x2 matrix that turns the two responses of a pair of kernels into a vector towards the right and downwards, of the
/// same length.
struct Turn {
  double xx = 1, xy = 0, yx = 0, yy = 1;

  bool is_none() const { return xx == 1 && xy == 0 && yx == 0 && yy == 1; }
};

/// The turn that the kernels ask for, found from what they answer to a ramp along each axis: none for Sobel's and its
/// kin, 45 degrees for Roberts'. Throws Error(kernel) when their answers do not tell the axes apart.
Turn turn_of(const Bank& pair);

/// `vectors[i] := turn(vectors[i])`; f32, two channels of neighbouring columns.
void turn_vectors(const Turn& turn, const TensorRef& vectors, int threads);

/// The length of every vector: the root of the sum of squares, or with `l1` the sum of absolute values. `vectors` has
/// two f32 channels and `lengths` one, both of neighbouring columns and the same n, h and w.
void measure_lengths(const ConstTensorRef& vectors, bool l1, const TensorRef& lengths, int threads);

/// One gradient of those of several colours, by `rule`, which is not luma. `colours` has 2 * C f32 channels: what the
/// first kernel answers to each colour, then the second; it is left changed. `gradient` (two channels) may be
/// colours' own channels 0 and C. `strength` is its length in the norm. di_zenzo has no l1.
void join_colours(ColorRule rule, bool l1, const ConstTensorRef& colours, const TensorRef& gradient,
                  const TensorRef& strength, int threads);

/// Strengths of several colours as one: the largest, or the sum. f32; `strength` has one channel, and may be the first
/// of `colours`. NaN in one is NaN in all.
void join_strengths(ColorRule rule, const ConstTensorRef& colours, const TensorRef& strength, int threads);

}  // namespace convtool
