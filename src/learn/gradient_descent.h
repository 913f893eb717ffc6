// Full-batch gradient descent on the sum of squared errors, with momentum as torch.optim.SGD has it (B. Polyak, Some
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

/// Told after each epoch, the first of which is 1: the loss that its gradient was taken at, before its step.
using EpochListener = std::function<void(std::int64_t epoch, const Loss& loss)>;

/// Takes so many steps from `start`. The layer runs in float, by the engine; steps are summed up in double. Throws
/// Error(shape) that names --lr, with a rate that would do, once the loss has grown a million times, or beyond numbers;
/// and when it ends more than twice as large as it began, and as that of no more than the targets' mean.
Parameters descend(std::span<const Sample> samples, const Parameters& start, const DescentOptions& options,
                   const EpochListener& listener);

/// A rate at which descent without momentum is stable: half of what no greater one is. The loss is a quadratic form;
/// with its largest curvature h, steps of less than 2 / h shrink every error. h is found by power iteration with the
/// engine, to a hundredth or so. 0 when the loss does not depend on the parameters.
double stable_rate(std::span<const Sample> samples, bool learns_bias, int threads);

}  // namespace convtool
