// Percentiles by the nearest-rank method.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace convtool {

/// The least of `values` that at least `percent` % of them do not exceed: 0 gives the smallest, 100 the largest, 50 the
/// median. Reorders `values`, which are not empty and contain no NaN.
float percentile(std::span<float> values, double percent);

/// The place of that value among `count` values in ascending order, from 1 on.
std::int64_t percentile_rank(std::int64_t count, double percent);

/// Half of the bits of floats, as whole numbers in the order of the floats (-0 before 0).
constexpr std::uint32_t kFloatHalves = 1U << 16;

/// Finds the value of a rank among floats that are not in memory together, by looking at all of them twice. A first
/// histogram, of their upper 16 bits, gives the upper half of the value. A second one counts the lower halves of the
/// floats with that upper half, and gives the rest.
class FloatHistogram {
 public:
  /// Counts all values by their upper halves.
  FloatHistogram() = default;
  /// Counts the values with this upper half by their lower halves.
  explicit FloatHistogram(std::uint32_t upper) : upper_(upper), counts_lower_(true) {}

  /// Counts values; NaN does not count.
  void add(const float* values, std::int64_t count);
  void merge(const FloatHistogram& other);

  std::int64_t total() const;

  /// A half, and how many of the values that were counted lie in halves before it.
  struct Place {
    std::uint32_t half;
    std::int64_t before;
  };
  /// The half that the value of this rank has. The rank is at least 1 and at most total().
  Place find(std::int64_t rank) const;

 private:
  std::uint32_t upper_ = 0;
  bool counts_lower_ = false;
  std::vector<std::int64_t> counts_ = std::vector<std::int64_t>(kFloatHalves);
};

/// The upper half of a float.
std::uint32_t upper_half(float value);

/// The float with these halves.
float float_of_halves(std::uint32_t upper, std::uint32_t lower);

}  // namespace convtool
