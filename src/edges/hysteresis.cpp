#include "edges/hysteresis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace convtool {
namespace {

constexpr std::uint8_t kNone = 0, kWeak = 1, kEdge = 255;

template <class Use>
void for_each_pixel(const TensorView<const float>& view, const Use& use) {
  require(view.shape.c == 1, "strengths of one channel");
  for (std::int64_t n = 0; n < view.shape.n; ++n)
    for (std::int64_t y = 0; y < view.shape.h; ++y)
      for (std::int64_t x = 0; x < view.shape.w; ++x) use(n, y, x, view.at(n, 0, y, x));
}

struct Place {
  std::int64_t n, y, x;
};

}  // namespace

void hysteresis(const ConstTensorRef& strength, const Thresholds& thresholds, const TensorRef& edges) {
  require(edges.shape == strength.shape, "edges of another picture");
  const Shape& shape = strength.shape;
  const auto out = edges.view<std::uint8_t>();
  std::vector<Place> found;  // edges whose neighbours have not been looked at
  for_each_pixel(strength.view<float>(), [&](std::int64_t n, std::int64_t y, std::int64_t x, float value) {
    const auto wide = static_cast<double>(value);
    out.at(n, 0, y, x) = wide > thresholds.high ? kEdge : wide > thresholds.low ? kWeak : kNone;
    if (wide > thresholds.high) found.push_back({n, y, x});
  });
  while (!found.empty()) {
    const Place place = found.back();
    found.pop_back();
    for (std::int64_t y = std::max<std::int64_t>(place.y - 1, 0); y <= std::min(place.y + 1, shape.h - 1); ++y) {
      for (std::int64_t x = std::max<std::int64_t>(place.x - 1, 0); x <= std::min(place.x + 1, shape.w - 1); ++x) {
        std::uint8_t& pixel = out.at(place.n, 0, y, x);
        if (pixel != kWeak) continue;
        pixel = kEdge;
        found.push_back({place.n, y, x});
      }
    }
  }
  for_each_pixel(strength.view<float>(), [&](std::int64_t n, std::int64_t y, std::int64_t x, float) {
    if (out.at(n, 0, y, x) == kWeak) out.at(n, 0, y, x) = kNone;
  });
}

double strength_quantile(const ConstTensorRef& strength, double share) {
  require(share >= 0 && share <= 1 && strength.shape.count() > 0, "a share of some pixels");
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(strength.shape.count()));
  for_each_pixel(strength.view<float>(), [&](std::int64_t, std::int64_t, std::int64_t, float value) {
    values.push_back(std::isnan(value) ? -std::numeric_limits<float>::infinity() : value);
  });
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(values.begin(), at, values.end());
  return static_cast<double>(*at);
}

Thresholds otsu_thresholds(const ConstTensorRef& strength) {
  double largest = 0;
  for_each_pixel(strength.view<float>(), [&](std::int64_t, std::int64_t, std::int64_t, float value) {
    if (value > 0) largest = std::max(largest, static_cast<double>(value));
  });
  if (std::isinf(largest))
    throw Error(ErrorKind::shape, "",
                "edges of infinite strength have no thresholds of their own; give them as numbers");
  if (largest == 0) return {};

  constexpr int kClasses = 256;
  std::array<double, kClasses> counts = {};
  for_each_pixel(strength.view<float>(), [&](std::int64_t, std::int64_t, std::int64_t, float value) {
    if (value > 0) ++counts[static_cast<std::size_t>(std::min(static_cast<double>(value) / largest * kClasses, 255.0))];
  });
  double all = 0, all_sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    all += counts[i];
    all_sum += counts[i] * static_cast<double>(i);
  }
  double below = 0, below_sum = 0, best = -1, best_class = 0;
  for (std::size_t i = 0; i + 1 < counts.size(); ++i) {
    below += counts[i];
    below_sum += counts[i] * static_cast<double>(i);
    if (below == 0 || below == all) continue;
    const double difference = below_sum / below - (all_sum - below_sum) / (all - below);
    const double between = below * (all - below) * difference * difference;
    if (between > best) {
      best = between;
      best_class = static_cast<double>(i + 1);
    }
  }
  if (best < 0) best_class = kClasses / 2.0;  // all in one class
  const double high = best_class / kClasses * largest;
  return {high / 2, high};
}

}  // namespace convtool
