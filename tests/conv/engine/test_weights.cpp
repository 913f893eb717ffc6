#include <doctest/doctest.h>

#include <limits>

#include "conv/engine/weights.h"
#include "support/convolve.h"

namespace convtool {
namespace {

std::optional<DyadicWeights> of(const std::vector<float>& weights) {
  return dyadic_weights(kernel_of({1, 1, 1, static_cast<std::int64_t>(weights.size())}, weights));
}

}  // namespace

TEST_CASE("integer weights stay as they are") {
  const auto dyadic = of({-32768, 32767, 0, 6});
  REQUIRE(dyadic);
  CHECK(dyadic->integers == std::vector<std::int32_t>{-32768, 32767, 0, 6});
  CHECK(dyadic->scale == 1);
  CHECK(dyadic->largest_sum == 32768 + 32767 + 6);
}

TEST_CASE("fractions times one power of two become integers") {
  const auto dyadic = of({0.0625F, 0.125F, -0.25F, 3});
  REQUIRE(dyadic);
  CHECK(dyadic->integers == std::vector<std::int32_t>{1, 2, -4, 48});
  CHECK(dyadic->scale == 16);
  CHECK(dyadic->largest_sum == 55);

  const auto least = of({std::numeric_limits<float>::denorm_min(), 0});
  REQUIRE(least);
  CHECK(least->integers == std::vector<std::int32_t>{1, 0});
  CHECK(least->scale == 0x1p149);
}

TEST_CASE("largest_sum is that of the output channel with the largest weights") {
  const auto dyadic = dyadic_weights(kernel_of({3, 1, 1, 2}, {1, 2, -3, -4, 5, 0}));
  REQUIRE(dyadic);
  CHECK(dyadic->largest_sum == 7);
}

TEST_CASE("weights that need more than 16 bits, or are not finite, are refused") {
  CHECK(!of({32768}));
  CHECK(!of({-32769}));
  CHECK(of({-16384.5F, 0.5F}).has_value() == false);
  CHECK(of({-16384, 16383.5F}).has_value());
  CHECK(!of({1024, 0x1p-6F}));
  CHECK(!of({0.1F}));
  CHECK(!of({1, std::numeric_limits<float>::quiet_NaN()}));
  CHECK(!of({std::numeric_limits<float>::infinity()}));
}

}  // namespace convtool
