#include "core/percentile.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace convtool {

float percentile(std::span<float> values, double percent) {
  require(percent >= 0 && percent <= 100 && !values.empty(), "a percentile of some values");
  // A percentage such as 16.1 is rounded, and so is its product; neither rounding may push a whole rank up to the next.
  constexpr double kRounding = 0x1p-50;
  const double rank = std::ceil(percent * static_cast<double>(values.size()) / 100 * (1 - kRounding));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace convtool
