// How a layer's loss changes with what the layer is made of: back-propagation through one convolution (D. Rumelhart, G.
// Hinton, R. Williams, Learning representations by back-propagating errors, 1986; for convolutions Y. LeCun et al.,
// Gradient-based learning applied to document recognition, 1998).
//
// Let dy be the derivative of a loss with respect to the layer's output y. Those with respect to weights and biases are
// conv/gradients/weight_gradient.h's. By the formula of conv/problem.h
//
//   d loss / d x[n,c,y,z] = sum over all outputs and taps that see the pixel of dy[n,o,i,j] * w[o,c,u,v]
//
// which is the transpose of the convolution as a matrix, where a pixel that padding shows again collects what all of
// its images see.
#pragma once

#include "conv/kernel.h"
#include "conv/problem.h"
#include "core/tensor.h"

namespace convtool {

/// The derivative with respect to the input, f32 and planar. `dy` is f32 and has the problem's output shape. What is in
/// the padding by a constant has no pixel and is left out. The kernel has no divisor. Each pixel is a sum in float of
/// `kernel`'s taps times dy, by the engine; and, of a padding mode that shows it several times, of as many such sums.
/// Throws std::bad_alloc.
Tensor input_gradient(const ConvProblem& problem, const Kernel& kernel, const ConstTensorRef& dy, int threads);

}  // namespace convtool
