// Neighbouring layers of a network that run as one.
//
// Let the first layer have stride s and kernel w1, the second kernel w2, both without dilation. The second reads place
// i*s2 + u of the first one's output, which reads place (i*s2 + u)*s + v of the input. So together they are one layer
// of stride s*s2 whose kernel has, at place p, the sum of w2[u] * w1[v] over u*s + v = p, in both directions. That
// holds as long as the second one sees no padding; if it does, only a first layer of a single weight can be moved into
// it, since scaling every pixel scales the padding that shows them.
//
// A folded layer is at least as exact as its parts, which round once more between them:
//   a single weight becomes a part of the other layer's divisor: the sums stay the same, and are divided once;
//   other kernels are folded where all weights are whole and the picture is of integers: the weights of the product are
//   whole too, and the engine sums them without rounding (conv/error_bound.cpp).
// A first layer that scales and shifts each channel, such as that of an input scaling, is folded into any convolution
// (network/folding/scaling_folding.h). Then weights or biases are rounded once more, in place of the pixels.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "conv/plan.h"
#include "network/layer.h"

namespace convtool {

struct Folding {
  Network network;                  ///< in which each group of layers is one layer
  std::vector<std::size_t> counts;  ///< how many layers of the original each layer stands for
};

/// Folds neighbours of `network` on this input where one layer is expected to be faster than two. Nothing where none
/// are, and where an algorithm is asked for by name. Throws as NetworkPlan does.
std::optional<Folding> fold(const Network& network, DType input_dtype, const Shape& input, bool flip,
                            const PlanOptions& options);

}  // namespace convtool
