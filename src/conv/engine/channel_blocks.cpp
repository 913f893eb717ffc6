#include "conv/engine/channel_blocks.h"

#include <algorithm>

#include "conv/engine/simd.h"

namespace convtool {

std::int64_t ChannelBlock::width() const { return vectors * float_lanes(); }

std::vector<ChannelBlock> cut_channels(const KernelShape& kernel, std::int64_t groups, std::int64_t weights) {
  const std::int64_t outputs = kernel.c_o / groups, lanes = float_lanes();
  std::vector<ChannelBlock> blocks;
  std::int64_t place = 0;
  for (std::int64_t o = 0; o < kernel.c_o; o += blocks.back().channels) {
    const std::int64_t left = outputs - o % outputs, vectors = left > lanes ? 2 : 1;
    blocks.push_back({.first = o,
                      .channels = std::min(left, vectors * lanes),
                      .vectors = vectors,
                      .group = o / outputs,
                      .weights = place});
    place += weights * blocks.back().width();
  }
  return blocks;
}

std::int64_t channel_count(std::span<const ChannelBlock> blocks) {
  return blocks.back().first + blocks.back().channels - blocks.front().first;
}

std::int64_t sums_per_pixel(std::span<const ChannelBlock> blocks) {
  return blocks.back().first + blocks.back().width() - blocks.front().first;
}

bool fill_vectors(std::span<const ChannelBlock> blocks) {
  return std::all_of(blocks.begin(), blocks.end(), [](const ChannelBlock& of) { return of.channels == of.width(); });
}

}  // namespace convtool
