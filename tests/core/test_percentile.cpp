// Percentiles by the nearest rank.
#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "core/percentile.h"

namespace convtool {
namespace {

float percentile_of(std::vector<float> values, double percent) { return percentile(values, percent); }

TEST_CASE("percentiles by the nearest rank") {
  const std::vector<float> values = {7, 1, 9, 3, 5, 8, 2, 10, 4, 6};
  CHECK(percentile_of(values, 0) == 1);
  CHECK(percentile_of(values, 10) == 1);
  CHECK(percentile_of(values, 11) == 2);
  CHECK(percentile_of(values, 50) == 5);
  CHECK(percentile_of(values, 95) == 10);
  CHECK(percentile_of(values, 100) == 10);
  CHECK(percentile_of({3}, 50) == 3);
  CHECK(percentile_of({2, 2, 2, 9}, 75) == 2);
}

TEST_CASE("whole-number ranks are exact, although decimal fractions have no exact binary form") {
  std::vector<float> values(1000);
  std::iota(values.begin(), values.end(), 0.0F);
  for (int tenths = 1; tenths <= 1000; ++tenths) CHECK(percentile_of(values, tenths / 10.0) == tenths - 1);
}

TEST_CASE("a percentile of an empty list, or above 100, is a bug") {
  CHECK_THROWS(percentile_of({}, 50));
  CHECK_THROWS(percentile_of({1}, 100.5));
}

}  // namespace
}  // namespace convtool
