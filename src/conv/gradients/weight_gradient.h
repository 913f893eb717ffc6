// The gradient of a loss with respect to a layer's weights and biases, by the formula of conv/problem.h. With dy the
// derivative of the loss with respect to the layer's output,
//
//   d loss / d w[o,c,u,v] = sum over n,i,j of dy[n,o,i,j] * (the pixel that tap (c,u,v) sees at n,i,j)
//   d loss / d bias[o]    = sum over n,i,j of dy[n,o,i,j]
//
// This is a correlation of the input with dy.
#pragma once

#include <vector>

#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

struct WeightGradient {
  std::vector<double> weights;  ///< [c_o][c_i/groups][kh][kw]
  std::vector<double> bias;     ///< [c_o]
};

/// `dy` is f32 with the problem's output shape and any strides. It may have fewer rows, and counts as 0 below them.
/// Products are added up in float within a block of at most 4096 positions; blocks are added up in double. The error is
/// at most e * 2^-24 * sum|x||dy|, where
///   - e is 4102 at worst;
///   - e is about 4096/L where rows are long and meet in vectors of L floats;
///   - e is 1026 where output channels fill vectors, since blocks then have at most 1024 positions.
/// The result has the same bits for any number of threads (0: one per core). Throws std::bad_alloc.
WeightGradient weight_gradient(const ConvProblem& problem, const ConstTensorRef& input, const ConstTensorRef& dy,
                               int threads);

}  // namespace convtool
