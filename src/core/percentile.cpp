#include "core/percentile.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/error.h"

namespace convtool {

namespace {

constexpr std::uint32_t kSign = 1U << 31;

/// The bits of a float as a whole number in the order of floats: all bits of negative floats are inverted.
std::uint32_t ordered_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

}  // namespace

std::int64_t percentile_rank(std::int64_t count, double percent) {
  require(percent >= 0 && percent <= 100 && count > 0, "a percentile of some values");
  // A percentage such as 16.1 is rounded, and so is its product; neither rounding may push a whole rank up to the next.
  constexpr double kRounding = 0x1p-50;
  const double rank = std::ceil(percent * static_cast<double>(count) / 100 * (1 - kRounding));
  return static_cast<std::int64_t>(std::max(rank, 1.0));
}

float percentile(std::span<float> values, double percent) {
  const auto at = values.begin() + (percentile_rank(std::ssize(values), percent) - 1);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void FloatHistogram::add(const float* values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (std::isnan(values[i])) continue;
    const std::uint32_t bits = ordered_bits(values[i]), upper = bits / kFloatHalves;
    if (!counts_lower_)
      ++counts_[upper];
    else if (upper == upper_)
      ++counts_[bits % kFloatHalves];
  }
}

void FloatHistogram::merge(const FloatHistogram& other) {
  std::transform(counts_.begin(), counts_.end(), other.counts_.begin(), counts_.begin(), std::plus<>());
}

std::int64_t FloatHistogram::total() const { return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}); }

FloatHistogram::Place FloatHistogram::find(std::int64_t rank) const {
  require(rank >= 1 && rank <= total(), "a rank among the values that were counted");
  Place place{.half = 0, .before = 0};
  while (place.before + counts_[place.half] < rank) place.before += counts_[place.half++];
  return place;
}

std::uint32_t upper_half(float value) { return ordered_bits(value) / kFloatHalves; }

float float_of_halves(std::uint32_t upper, std::uint32_t lower) {
  const std::uint32_t bits = upper * kFloatHalves + lower;
  return std::bit_cast<float>((bits & kSign) != 0 ? bits ^ kSign : ~bits);
}

}  // namespace convtool
