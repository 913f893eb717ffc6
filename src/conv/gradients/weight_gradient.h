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

/// `dy` is f32, has the problem's output shape, any strides, and may have fewer rows: it is 0 below. Of each block of
/// at most 4096 positions products are added up in float, blocks in double: within 4102 * 2^-24 * sum|x||dy| at worst;
/// where rows are long and meet in vectors of L floats, within about 4096/L; where output channels fill vectors, within
/// 1026, since blocks have at most 1024 positions. Bit for bit the same for any number of threads (0:
/// as many as cores). Throws std::bad_alloc.
WeightGradient weight_gradient(const ConvProblem& problem, const ConstTensorRef& input, const ConstTensorRef& dy,
                               int threads);

}  // namespace convtool
