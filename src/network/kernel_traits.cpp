#include "network/kernel_traits.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "conv/low_rank.h"

namespace convtool {
namespace {

/// Compares every weight[u][v] with the weight at `place(u, v)`.
template <class Place>
Symmetry compare(const float* weights, const Extent& size, const Place& place) {
  bool same = true, opposite = true;
  for (std::int64_t u = 0; u < size.h; ++u) {
    for (std::int64_t v = 0; v < size.w; ++v) {
      const Extent at = place(u, v);
      const float here = weights[u * size.w + v], there = weights[at.h * size.w + at.w];
      same = same && here == there;
      opposite = opposite && here == -there;
    }
  }
  return same ? Symmetry::symmetric : opposite ? Symmetry::antisymmetric : Symmetry::none;
}

bool are_whole(const std::vector<double>& values, int exponent) {
  return std::all_of(values.begin(), values.end(), [exponent](double value) {
    const double scaled = std::ldexp(value, exponent);
    return scaled == std::nearbyint(scaled);
  });
}

/// The power of two by which to divide the column and multiply the row so that both are whole numbers, the row as small
/// as possible. Where there is none, the power that brings the largest entry of the column to [1, 2).
int readable_exponent(const std::vector<double>& column, const std::vector<double>& row) {
  constexpr int kMostBits = 24;
  double largest = 0;
  for (const double value : column) largest = std::max(largest, std::fabs(value));
  const int highest = std::ilogb(largest);
  int readable = highest;
  for (int exponent = highest; exponent > highest - kMostBits && are_whole(row, exponent); --exponent)
    if (are_whole(column, -exponent)) readable = exponent;
  return readable;
}

/// Rewrites the same product for people to read: scaled by a power of two, which changes no digit, and with the signs
/// that make the sum of the row positive, or if that is 0, the sum of the column.
void make_readable(std::vector<double>& column, std::vector<double>& row) {
  const int exponent = readable_exponent(column, row);
  const double of_row = std::accumulate(row.begin(), row.end(), 0.0);
  const double of_column = std::accumulate(column.begin(), column.end(), 0.0);
  const double sign = of_row < 0 || (of_row == 0 && of_column < 0) ? -1 : 1;
  for (double& value : column) value = sign * std::ldexp(value, -exponent) + 0.0;  // + 0.0 turns -0 into 0
  for (double& value : row) value = sign * std::ldexp(value, exponent) + 0.0;
}

}  // namespace

PlaneTraits traits_of_plane(const float* weights, const Extent& size) {
  PlaneTraits traits;
  if (size.h * size.w <= kLargestRanked) traits.rank = numerical_rank(weights, size);
  if (traits.rank.value_or(0) > 0) {
    std::vector<OuterProduct> products = outer_products(weights, size);
    if (products.size() == 1) {
      traits.rank = 1;
      traits.column = std::move(products.front().column);
      traits.row = std::move(products.front().row);
      make_readable(traits.column, traits.row);
    }
  }
  const std::int64_t bottom = size.h - 1, right = size.w - 1;
  traits.left_right = compare(weights, size, [&](auto u, auto v) { return Extent{u, right - v}; });
  traits.top_bottom = compare(weights, size, [&](auto u, auto v) { return Extent{bottom - u, v}; });
  traits.half_turn = compare(weights, size, [&](auto u, auto v) { return Extent{bottom - u, right - v}; });
  if (size.h == size.w)
    traits.quarter_turn = compare(weights, size, [&](auto u, auto v) { return Extent{v, right - u}; });
  return traits;
}

std::vector<PlaneTraits> plane_traits(const Layer& layer) {
  const Extent size{layer.shape.kh, layer.shape.kw};
  std::vector<PlaneTraits> traits;
  for (std::int64_t first = 0; first < layer.shape.count(); first += size.h * size.w)
    traits.push_back(traits_of_plane(layer.weights.data() + first, size));
  return traits;
}

std::vector<double> responses_at_zero(const Layer& layer) {
  const std::int64_t taps = layer.shape.taps();
  std::vector<double> responses;
  for (std::int64_t o = 0; o < layer.shape.c_o; ++o) {
    const double divisor = layer.divisor.empty()       ? 1
                           : layer.divisor.size() == 1 ? layer.divisor[0]
                                                       : layer.divisor[static_cast<std::size_t>(o)];
    responses.push_back(sum_of_weights(layer.weights.data() + o * taps, taps) / divisor);
  }
  return responses;
}

}  // namespace convtool
