#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "network/frequency_response.h"

namespace convtool {
namespace {

// A sum of n products of weights of at most 2 with waves rounded to 2^-53: far within this.
constexpr double kRounding = 1e-13;

TEST_CASE("the response of an impulse is 1 everywhere, that of a mean falls to 1/3 at the finest pattern") {
  const std::vector<float> impulse = {0, 0, 0, 0, 1, 0, 0, 0, 0}, mean = {1 / 3.0F, 1 / 3.0F, 1 / 3.0F};
  for (const double value : frequency_response(impulse.data(), {3, 3}, 9)) CHECK(std::fabs(value - 1) < kRounding);
  const std::vector<double> blurred = frequency_response(mean.data(), {1, 3}, 9);
  for (std::size_t u = 0; u < 9; ++u) {
    const double frequency = std::numbers::pi * (static_cast<double>(u) - 4) / 4;
    const double expected = std::fabs(1 + 2 * std::cos(frequency)) * static_cast<double>(mean[0]);
    for (std::size_t v = 0; v < 9; ++v) CHECK(std::fabs(blurred[v * 9 + u] - expected) < kRounding);
  }
}

TEST_CASE("the middle is frequency 0, rows go down and columns across") {
  const std::vector<float> down = {1, -1};
  const std::vector<double> response = frequency_response(down.data(), {2, 1}, 5);
  const double expected[] = {2, std::numbers::sqrt2, 0, std::numbers::sqrt2, 2};  // 2 |sin(v / 2)|
  for (std::size_t v = 0; v < 5; ++v)
    for (std::size_t u = 0; u < 5; ++u) CHECK(std::fabs(response[v * 5 + u] - expected[v]) < kRounding);
}

}  // namespace
}  // namespace convtool
