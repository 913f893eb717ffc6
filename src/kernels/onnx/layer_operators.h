// Internal to kernels/onnx/: the operators that become layers, a function each. Each adds a layer to those of its step,
// or changes the last one. Throws Stop with the reason where convtool has no such layer.
#pragma once

#include "kernels/onnx/step.h"

namespace convtool {

// convolutions.cpp
void add_convolution(const Step& step);
void add_transposed(const Step& step);

// scaling.cpp: of whole channels, by constants
void add_batch_normalisation(const Step& step);
void add_sum(const Step& step);  ///< also with the output of an earlier layer
void add_product(const Step& step);
void add_difference(const Step& step);
void add_quotient(const Step& step);
void add_negation(const Step& step);

// activations.cpp
void activate(const Step& step, Activation activation, const ActivationNumbers& numbers = {});
void add_relu(const Step& step);
void add_abs(const Step& step);
void add_sigmoid(const Step& step);
void add_tanh(const Step& step);
void add_hard_swish(const Step& step);
void add_swish(const Step& step);
void add_leaky_relu(const Step& step);
void add_prelu(const Step& step);
void add_clip(const Step& step);
void add_maximum(const Step& step);  ///< of the input and a constant
void add_minimum(const Step& step);
void add_hard_sigmoid(const Step& step);

// pools.cpp
void add_max_pool(const Step& step);
void add_mean_pool(const Step& step);
void add_global_max_pool(const Step& step);
void add_global_mean_pool(const Step& step);
void add_reduced_maximum(const Step& step);  ///< of all rows and columns
void add_reduced_mean(const Step& step);

// linear.cpp: lists of values, which pictures become
void flatten(const Step& step);
void reshape(const Step& step);
void squeeze(const Step& step);
void add_gemm(const Step& step);
void add_matrix_product(const Step& step);

// colour_order.cpp: of the input, as in x[:, ::-1]
void reverse_by_places(const Step& step);
void reverse_by_steps(const Step& step);

// resizing.cpp: enlarging, and borders
void add_upsample(const Step& step);
void add_resize(const Step& step);
void add_border(const Step& step);

}  // namespace convtool
