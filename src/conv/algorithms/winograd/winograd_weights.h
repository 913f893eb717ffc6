// The transformed weights of `winograd`. Internal to conv/.
#pragma once

#include <cstdint>
#include <vector>

#include "conv/engine/channel_blocks.h"
#include "conv/kernel.h"
#include "core/tensor.h"

namespace convtool {

/// G g G' of the weights g of every pair of channels (winograd.cpp), in the order of the micro-kernel. Immutable.
class WinogradWeights {
 public:
  WinogradWeights(const Kernel& kernel, std::int64_t groups);

  /// All output channels.
  const std::vector<ChannelBlock>& blocks() const { return blocks_; }

  /// The weights of a block, [value][input channel][vectors of outputs]. Outputs beyond the block's have zeros.
  const float* of(const ChannelBlock& block) const { return weights_.data<float>() + block.weights; }

 private:
  std::vector<ChannelBlock> blocks_;
  Tensor weights_;
};

}  // namespace convtool
