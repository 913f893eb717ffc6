// Output channels in blocks of one or two vectors, for algorithms that sum many channels at once. Internal to conv/.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "conv/kernel.h"

namespace convtool {

/// Neighbouring output channels of one group, as wide as one or two vectors.
struct ChannelBlock {
  std::int64_t first = 0, channels = 0, vectors = 1;
  std::int64_t group = 0;
  std::int64_t weights = 0;  ///< the place of its first weight, where those of the blocks follow one another

  /// Channels that fit its vectors.
  std::int64_t width() const;
};

/// All output channels in blocks, in order. Each channel has `weights` weights.
std::vector<ChannelBlock> cut_channels(const KernelShape& kernel, std::int64_t groups, std::int64_t weights);

/// The channels of neighbouring blocks, of which there is at least one.
std::int64_t channel_count(std::span<const ChannelBlock> blocks);

/// The floats of a pixel that has the sums of neighbouring blocks. The last vectors of a block may reach into the next
/// one, so blocks are written in order.
std::int64_t sums_per_pixel(std::span<const ChannelBlock> blocks);

/// Whether every vector of the blocks is full.
bool fill_vectors(std::span<const ChannelBlock> blocks);

}  // namespace convtool
