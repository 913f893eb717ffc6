// Quantiles by the nearest rank.
#include <doctest/doctest.h>

#include <vector>

#include "core/quantile.h"

namespace convtool {
namespace {

float quantile_of(std::vector<float> values, double share) { return quantile(values, share); }

TEST_CASE("quantiles by the nearest rank") {
  const std::vector<float> values = {7, 1, 9, 3, 5, 8, 2, 10, 4, 6};
  CHECK(quantile_of(values, 0) == 1);
  CHECK(quantile_of(values, 0.1) == 1);
  CHECK(quantile_of(values, 0.11) == 2);
  CHECK(quantile_of(values, 0.5) == 5);
  CHECK(quantile_of(values, 0.95) == 10);
  CHECK(quantile_of(values, 1) == 10);
  CHECK(quantile_of({3}, 0.5) == 3);
  CHECK(quantile_of({2, 2, 2, 9}, 0.75) == 2);
}

TEST_CASE("a quantile of nothing, or of more than all, is a bug") {
  CHECK_THROWS(quantile_of({}, 0.5));
  CHECK_THROWS(quantile_of({1}, 1.5));
}

}  // namespace
}  // namespace convtool
