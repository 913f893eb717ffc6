// Output channels in blocks of one or two vectors, for algorithms that sum many channels at once. Internal to conv/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "conv/kernel.h"
#include "core/whole_division.h"
#include "core/work_share.h"

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

/// The work items of all channels of `pixel_blocks` blocks of pixels. An item is `per_item` of the `channel_blocks` of
/// one block of pixels; the items of a block of pixels follow one another.
inline std::int64_t item_count(std::int64_t pixel_blocks, std::int64_t channel_blocks, std::int64_t per_item) {
  return pixel_blocks * ceil_divided(channel_blocks, per_item);
}

/// Takes such items until none are left: calls enter(pixel_block) where an item is of another block of pixels than the
/// last one, and run(begin, end) for the item's channel blocks.
template <class Enter, class Run>
void take_items(WorkShare& share, std::int64_t channel_blocks, std::int64_t per_item, const Enter& enter,
                const Run& run) {
  const std::int64_t items_across = item_count(1, channel_blocks, per_item);
  std::int64_t at = -1;
  for (Range item; !(item = share.take()).is_empty();) {
    if (item.begin / items_across != at) enter(at = item.begin / items_across);
    const std::int64_t first = item.begin % items_across * per_item;
    run(first, std::min(first + per_item, channel_blocks));
  }
}

}  // namespace convtool
