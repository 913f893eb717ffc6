#include "edges/hysteresis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/parallel.h"

namespace convtool {
namespace {

/// Calls use(value) for every pixel.
template <class Use>
void for_each_strength(const TensorView<const float>& view, const Use& use) {
  require(view.shape.c == 1, "strengths of one channel");
  for (std::int64_t n = 0; n < view.shape.n; ++n)
    for (std::int64_t y = 0; y < view.shape.h; ++y)
      for (std::int64_t x = 0; x < view.shape.w; ++x) use(view.at(n, 0, y, x));
}

constexpr int kBins = 256;
using Histogram = std::array<double, kBins>;

/// The first bin of the upper of the two classes with the greatest variance between them; the middle where all values
/// are in one bin.
double otsu_bin(const Histogram& counts) {
  double all = 0, all_sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    all += counts[i];
    all_sum += counts[i] * static_cast<double>(i);
  }
  double below = 0, below_sum = 0, best = -1, best_bin = kBins / 2.0;
  for (std::size_t i = 0; i + 1 < counts.size(); ++i) {
    below += counts[i];
    below_sum += counts[i] * static_cast<double>(i);
    if (below == 0 || below == all) continue;
    const double difference = below_sum / below - (all_sum - below_sum) / (all - below);
    const double between = below * (all - below) * difference * difference;
    if (between > best) {
      best = between;
      best_bin = static_cast<double>(i + 1);
    }
  }
  return best_bin;
}

constexpr std::uint8_t kNone = 0, kWeak = 1, kEdge = 255;

/// The largest float not above `limit`. A float is above one exactly when it is above the other.
float float_below(double limit) {
  const auto nearest = static_cast<float>(limit);
  return static_cast<double>(nearest) > limit ? std::nextafter(nearest, -std::numeric_limits<float>::infinity())
                                              : nearest;
}

/// The column of the first edge in [from, end), or `end`.
std::int64_t next_edge(const std::uint8_t* row, std::int64_t from, std::int64_t end) {
  const void* const found = std::memchr(row + from, kEdge, static_cast<std::size_t>(end - from));
  return found == nullptr ? end : static_cast<const std::uint8_t*>(found) - row;
}

struct Place {
  std::int64_t y, x;
};

/// Turns the weak pixels that are connected to the edge at `place` into edges.
void spread_edge(const TensorView<std::uint8_t>& edges, std::int64_t n, const Place& place, std::vector<Place>& found) {
  found.push_back(place);
  while (!found.empty()) {
    const Place from = found.back();
    found.pop_back();
    const std::int64_t left = std::max<std::int64_t>(from.x - 1, 0), right = std::min(from.x + 1, edges.shape.w - 1);
    for (std::int64_t y = std::max<std::int64_t>(from.y - 1, 0); y <= std::min(from.y + 1, edges.shape.h - 1); ++y) {
      std::uint8_t* const row = edges.row(n, 0, y);
      for (std::int64_t x = left; x <= right; ++x) {
        if (row[x] != kWeak) continue;
        row[x] = kEdge;
        found.push_back({y, x});
      }
    }
  }
}

}  // namespace

void hysteresis(const ConstTensorRef& strength, const Thresholds& thresholds, const TensorRef& edges, int threads) {
  const Shape& shape = strength.shape;
  require(edges.shape == shape && shape.c == 1, "edges of another shape");
  require(strength.strides.w == 1 && edges.strides.w == 1, "adjacent columns");
  const auto in = strength.view<float>();
  const auto out = edges.view<std::uint8_t>();
  const float low = float_below(thresholds.low), high = float_below(thresholds.high);
  const std::int64_t width = shape.w;
  for_each_row(shape, threads, [=](std::int64_t n, std::int64_t y) {
    const float* const values = in.row(n, 0, y);
    std::uint8_t* const row = out.row(n, 0, y);
    const std::int64_t end = width;  // a local copy: the compiler has to assume that storing bytes changes `width`
    for (std::int64_t x = 0; x < end; ++x) row[x] = values[x] > high ? kEdge : values[x] > low ? kWeak : kNone;
  });
  std::vector<Place> found;
  for (std::int64_t n = 0; n < shape.n; ++n)
    for (std::int64_t y = 0; y < shape.h; ++y) {
      const std::uint8_t* const row = out.row(n, 0, y);
      for (std::int64_t x = next_edge(row, 0, shape.w); x < shape.w; x = next_edge(row, x + 1, shape.w))
        spread_edge(out, n, {y, x}, found);
    }
  for_each_row(shape, threads, [=](std::int64_t n, std::int64_t y) {
    std::uint8_t* const row = out.row(n, 0, y);
    const std::int64_t end = width;
    for (std::int64_t x = 0; x < end; ++x) row[x] = row[x] == kEdge ? kEdge : kNone;
  });
}

Thresholds otsu_thresholds(const ConstTensorRef& strength) {
  double largest = 0;
  for_each_strength(strength.view<float>(), [&](float value) {
    if (value > 0) largest = std::max(largest, static_cast<double>(value));
  });
  if (std::isinf(largest))
    refuse_shape("", "no thresholds can be found for edges of infinite strength; give them as numbers");
  if (largest == 0) return {};

  Histogram counts = {};
  for_each_strength(strength.view<float>(), [&](float value) {
    if (value > 0) ++counts[static_cast<std::size_t>(std::min(static_cast<double>(value) / largest * kBins, 255.0))];
  });
  const double high = otsu_bin(counts) / kBins * largest;
  return {high / 2, high};
}

}  // namespace convtool
