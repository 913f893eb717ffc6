// Properties of a kernel that follow from its weights alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "network/layer.h"

namespace convtool {

/// The result of mirroring or rotating a matrix: the same matrix, the matrix with every sign changed, or something
/// else.
enum class Symmetry { none, symmetric, antisymmetric };
inline constexpr std::string_view kSymmetries[] = {"none", "symmetric", "antisymmetric"};

/// The most weights whose rank is computed. The time grows with the third power of the sides, to seconds at this size.
inline constexpr std::int64_t kLargestRanked = 512 * 512;

/// Properties of the weights of one output channel for one input channel, [kh][kw], without the divisor. A matrix of
/// zeros counts as symmetric.
struct PlaneTraits {
  std::optional<std::int64_t> rank;  ///< numerical_rank(); unknown for more than kLargestRanked weights
  /// For rank 1, if exact enough for the separable algorithm: weight[u][v] = column[u] * row[v]. Whole numbers where
  /// the weights are.
  std::vector<double> column, row;
  Symmetry left_right = Symmetry::none;    ///< mirrored left to right
  Symmetry top_bottom = Symmetry::none;    ///< mirrored top to bottom
  Symmetry half_turn = Symmetry::none;     ///< rotated by 180 degrees
  Symmetry quarter_turn = Symmetry::none;  ///< by 90 degrees; none unless the matrix is square
};

PlaneTraits traits_of_plane(const float* weights, const Extent& size);

/// The traits of each [kh][kw] of the layer, in the order of its weights.
std::vector<PlaneTraits> plane_traits(const Layer& layer);

/// The response of each output channel at frequency 0, that is to a picture of ones and without the bias:
/// sum_of_weights() over the divisor.
std::vector<double> responses_at_zero(const Layer& layer);

}  // namespace convtool
