#include "network/frequency_response.h"

#include <cmath>
#include <complex>
#include <numbers>

namespace convtool {

std::vector<double> frequency_response(const float* weights, const Extent& size, std::int64_t side) {
  require(side >= 3 && side % 2 == 1, "a frequency response without a middle");
  const auto wave = [&](std::int64_t index, std::int64_t place) {
    const double frequency =
        std::numbers::pi * static_cast<double>(2 * index - (side - 1)) / static_cast<double>(side - 1);
    return std::polar(1.0, -frequency * static_cast<double>(place));
  };
  // Rows first: the transform is a product of waves down and across.
  std::vector<std::complex<double>> rows(static_cast<std::size_t>(size.h * side));
  for (std::int64_t u = 0; u < side; ++u)
    for (std::int64_t x = 0; x < size.w; ++x) {
      const std::complex<double> factor = wave(u, x);
      for (std::int64_t y = 0; y < size.h; ++y)
        rows[static_cast<std::size_t>(y * side + u)] += static_cast<double>(weights[y * size.w + x]) * factor;
    }
  std::vector<std::complex<double>> sums(static_cast<std::size_t>(side * side));
  for (std::int64_t v = 0; v < side; ++v)
    for (std::int64_t y = 0; y < size.h; ++y) {
      const std::complex<double> factor = wave(v, y);
      for (std::int64_t u = 0; u < side; ++u)
        sums[static_cast<std::size_t>(v * side + u)] += factor * rows[static_cast<std::size_t>(y * side + u)];
    }
  std::vector<double> magnitudes;
  for (const std::complex<double>& sum : sums) magnitudes.push_back(std::abs(sum));
  return magnitudes;
}

}  // namespace convtool
