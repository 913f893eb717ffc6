// Weights that are whole numbers, or whole numbers over a power of two.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "conv/kernel.h"

namespace convtool {

/// A kernel's weights as integers / scale.
struct DyadicWeights {
  std::vector<std::int32_t> integers;  ///< in the kernel's order, each in [-32768, 32767]
  double scale = 1;                    ///< a power of two, 1 or more, and no larger than it must be
  double largest_sum = 0;              ///< the most that the |integers| of an output channel come to
};

/// Nothing where no power of two makes them integers of 16 bits. A binomial kernel in sixteenths, or a box of 4, has
/// them; a Gaussian rounded to float has not.
std::optional<DyadicWeights> dyadic_weights(const Kernel& kernel);

}  // namespace convtool
