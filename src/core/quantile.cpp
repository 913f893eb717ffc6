#include "core/quantile.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace convtool {

float quantile(std::span<float> values, double share) {
  require(share >= 0 && share <= 1 && !values.empty(), "a share of some values");
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace convtool
