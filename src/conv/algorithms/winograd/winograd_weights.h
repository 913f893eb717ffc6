// The transformed weights of `winograd`. Internal to conv/.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/kernel.h"
#include "core/tensor.h"

namespace convtool {

/// Neighbouring output channels of one group, as wide as one or two vectors.
struct WinogradBlock {
  std::int64_t first = 0, channels = 0, vectors = 1;
  std::int64_t group = 0;
  std::int64_t weights = 0;  ///< the place of its first weight
};

/// G g G' of the weights g of every pair of channels (winograd.cpp), in the order of the micro-kernel. Immutable.
class WinogradWeights {
 public:
  WinogradWeights(const Kernel& kernel, std::int64_t groups);

  /// All output channels.
  const std::vector<WinogradBlock>& blocks() const { return blocks_; }

  /// The weights of a block, [value][input channel][vectors of outputs]. Outputs beyond the block's have zeros.
  const float* of(const WinogradBlock& block) const { return weights_.data<float>() + block.weights; }

 private:
  std::vector<WinogradBlock> blocks_;
  Tensor weights_;
};

}  // namespace convtool
