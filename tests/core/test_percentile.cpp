// Percentiles by the nearest rank.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "core/percentile.h"
#include "support/random.h"

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

/// The value of a rank by two looks at the values, each in two parts.
float by_histograms(const std::vector<float>& values, std::int64_t rank) {
  const auto count = [&](FloatHistogram histogram) {
    FloatHistogram rest = histogram;
    const std::int64_t half = std::ssize(values) / 2;
    histogram.add(values.data(), half);
    rest.add(values.data() + half, std::ssize(values) - half);
    histogram.merge(rest);
    return histogram;
  };
  const FloatHistogram::Place upper = count(FloatHistogram()).find(rank);
  const FloatHistogram::Place lower = count(FloatHistogram(upper.half)).find(rank - upper.before);
  return float_of_halves(upper.half, lower.half);
}

TEST_CASE("histograms of halves find the value of every rank") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Random random(1);
  std::vector<float> values = {0, 1e-42F, -1e-42F, 3e38F, -3e38F, kInfinity, -kInfinity, 1, 1, 1, 1.0000001F};
  for (int i = 0; i < 200; ++i) values.push_back(random.rough() * (random.chance(2) ? 1.0F : 1e-20F));
  std::vector<float> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  values.insert(values.begin() + 50, std::numeric_limits<float>::quiet_NaN());  // does not count
  for (std::size_t i = 0; i < sorted.size(); ++i)
    CHECK(by_histograms(values, static_cast<std::int64_t>(i) + 1) == sorted[i]);
  CHECK_THROWS(by_histograms(values, std::ssize(sorted) + 1));
}

TEST_CASE("a percentile of an empty list, or above 100, is a bug") {
  CHECK_THROWS(percentile_of({}, 50));
  CHECK_THROWS(percentile_of({1}, 100.5));
}

}  // namespace
}  // namespace convtool
