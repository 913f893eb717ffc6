// Properties of a kernel's weights that decide how it may be summed: exactly in integers, or in float.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "conv/kernel.h"
#include "conv/problem.h"

namespace convtool {

/// A kernel's weights as integers / scale.
struct DyadicWeights {
  std::vector<std::int32_t> integers;  ///< in the kernel's order, each in [-32768, 32767]
  double scale = 1;                    ///< the smallest such power of two, at least 1
  double largest_sum = 0;              ///< the largest sum of |integers| over an output channel
};

/// The kernel's dyadic weights, or nothing if no power of two turns all weights into 16-bit integers. A binomial kernel
/// in sixteenths and a 2x2 mean have them; a Gaussian rounded to float does not.
std::optional<DyadicWeights> dyadic_weights(const Kernel& kernel);

/// Whether sums may be taken in float. True for f32 input. For integer input, true when max|x| * sum|w| < 2^24 for
/// every output channel, x being a pixel or the padding value: then every partial sum of integer weights is exact in
/// float, in any order.
bool float_sums_suffice(const ConvProblem& problem, const Kernel& kernel);

}  // namespace convtool
