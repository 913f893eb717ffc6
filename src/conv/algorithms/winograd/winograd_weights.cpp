#include "conv/algorithms/winograd/winograd_weights.h"

#include <algorithm>
#include <cstddef>

#include "conv/algorithms/winograd/winograd_tiles.h"
#include "conv/engine/seen_sums.h"
#include "conv/engine/simd.h"

namespace convtool {
namespace {

/// Weights of the outputs of a channel block, [tap or value][output].
template <class Real, std::size_t kRows>
using BlockWeights = Real[kRows][2 * kMostLanes];

/// G g G' of the nine weights g of each output, computed in double.
void transform_weights(const BlockWeights<double, 9>& g, BlockWeights<float, kWinogradValues>& values) {
  BlockWeights<double, 4 * 3> rows;
  for (std::size_t v = 0; v < 3; ++v) {
    for (std::size_t o = 0; o < 2 * kMostLanes; ++o) {
      const double top = g[v][o], middle = g[3 + v][o], bottom = g[6 + v][o];
      rows[v][o] = top;
      rows[3 + v][o] = (top + middle + bottom) / 2;
      rows[6 + v][o] = (top - middle + bottom) / 2;
      rows[9 + v][o] = bottom;
    }
  }
  for (std::size_t row = 0; row < 4; ++row) {
    for (std::size_t o = 0; o < 2 * kMostLanes; ++o) {
      const double left = rows[3 * row][o], middle = rows[3 * row + 1][o], right = rows[3 * row + 2][o];
      values[4 * row][o] = static_cast<float>(left);
      values[4 * row + 1][o] = static_cast<float>((left + middle + right) / 2);
      values[4 * row + 2][o] = static_cast<float>((left - middle + right) / 2);
      values[4 * row + 3][o] = static_cast<float>(right);
    }
  }
}

}  // namespace

WinogradWeights::WinogradWeights(const Kernel& kernel, std::int64_t groups)
    : blocks_(cut_channels(kernel.shape, groups, kWinogradValues * kernel.shape.c_i_per_group)) {
  const KernelShape& k = kernel.shape;
  const ChannelBlock& last = blocks_.back();
  weights_ = Tensor(DType::f32, {1, 1, 1, last.weights + kWinogradValues * k.c_i_per_group * last.width()});
  for (const ChannelBlock& of : blocks_) {
    const std::int64_t width = of.width(), step = k.c_i_per_group * width;
    BlockWeights<double, 9> g = {};
    BlockWeights<float, kWinogradValues> values;
    float* to = weights_.data<float>() + of.weights;
    for (std::int64_t c = 0; c < k.c_i_per_group; ++c, to += width) {
      for (std::int64_t o = 0; o < of.channels; ++o) {
        const float* taps = kernel.taps(of.first + o, c);
        for (std::size_t tap = 0; tap < 9; ++tap) g[tap][o] = static_cast<double>(taps[tap]);
      }
      transform_weights(g, values);
      for (std::int64_t i = 0; i < kWinogradValues; ++i) std::copy_n(values[i], width, to + i * step);
    }
  }
}

}  // namespace convtool
