// Full-batch gradient descent on the sum of squared errors, with momentum as in torch.optim.SGD (B. Polyak, Some
// methods of speeding up the convergence of iteration methods, 1964):
//
//   v = momentum * v + d loss / d w,   w = w - rate * v,   and the same for biases
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "learn/parameters.h"
#include "learn/sample.h"

namespace convtool {

struct DescentOptions {
  double rate = 0;
  std::int64_t epochs = 1;
  double momentum = 0;
  bool learns_bias = false;
  int threads = 0;
};

/// Called after each epoch, counted from 1, with the loss before its step.
using EpochListener = std::function<void(std::int64_t epoch, const Loss& loss)>;

/// Takes `options.epochs` steps from `start`. The layer runs in float, by the engine; steps are summed in double. A run
/// diverges when its loss grows a million times or is no longer a number, or when it ends with more than twice the loss
/// of both the start and the targets' mean. Then descend() throws Error(shape), which names --lr and suggests a rate.
Parameters descend(std::span<const Sample> samples, const Parameters& start, const DescentOptions& options,
                   const EpochListener& listener);

/// A rate at which descent without momentum is stable: half the largest stable rate. The loss is a quadratic form;
/// where h is its largest curvature, steps of less than 2 / h shrink every error. h is found by power iteration with
/// the engine, to about one percent. Returns 0 when the loss does not depend on the parameters.
double stable_rate(std::span<const Sample> samples, bool learns_bias, int threads);

}  // namespace convtool
