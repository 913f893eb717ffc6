// What the weights of a kernel tell about it, apart from any picture.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "network/layer.h"

namespace convtool {

/// What a matrix becomes when it is mirrored or turned: itself, itself with every sign changed, or something else.
enum class Symmetry { none, symmetric, antisymmetric };
inline constexpr std::string_view kSymmetries[] = {"none", "symmetric", "antisymmetric"};

/// Finding a rank takes the third power of a matrix's sides: seconds beyond this.
inline constexpr std::int64_t kLargestRanked = 512 * 512;

/// Of the weights of one output channel for one input channel, [kh][kw], undivided. A matrix of zeros is symmetric.
struct PlaneTraits {
  std::optional<std::int64_t> rank;  ///< numerical_rank(); not looked for in more than kLargestRanked weights
  /// Of rank 1, where it is as exact as an algorithm needs: weight[u][v] = column[u] * row[v]; whole numbers where the
  /// weights are.
  std::vector<double> column, row;
  Symmetry left_right = Symmetry::none;    ///< mirrored left to right
  Symmetry top_bottom = Symmetry::none;    ///< mirrored top to bottom
  Symmetry half_turn = Symmetry::none;     ///< by 180 degrees
  Symmetry quarter_turn = Symmetry::none;  ///< by 90 degrees; of square matrices
};

PlaneTraits traits_of_plane(const float* weights, const Extent& size);

/// One for each [kh][kw] of the layer, in the order of its weights.
std::vector<PlaneTraits> plane_traits(const Layer& layer);

/// The response at frequency 0, to a picture of ones and without the bias: for each output channel sum_of_weights()
/// over the divisor.
std::vector<double> responses_at_zero(const Layer& layer);

}  // namespace convtool
