#include "conv/packed_tiles.h"

#include <algorithm>

namespace convtool {
namespace {

/// Fewer pixels than this leave multiply-adds waiting for each other, which costs more than the taps they could skip.
constexpr std::int64_t kLeastPixels = 4;

/// One axis of a problem.
struct Axis {
  std::int64_t in, k, stride, dilation, begin_pad;
};

/// Output positions that see the same taps.
struct Group {
  Range positions, taps;
};

/// The taps of position `i` that fall inside the picture.
Range taps_inside(const Axis& axis, std::int64_t i) {
  return interior(axis.k, axis.in, axis.dilation, i * axis.stride - axis.begin_pad);
}

Range joined(const Range& a, const Range& b) {
  if (a.begin == a.end) return b;
  if (b.begin == b.end) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

/// Splits `positions` where the taps change, unless a part would have fewer than `least`; those join their neighbours.
std::vector<Group> group_by_taps(const Axis& axis, const Range& positions, std::int64_t least) {
  std::vector<Group> groups;
  for (std::int64_t i = positions.begin; i < positions.end; ++i) {
    const Range taps = taps_inside(axis, i);
    const bool same = !groups.empty() && groups.back().taps.begin == taps.begin && groups.back().taps.end == taps.end;
    const bool small = !groups.empty() && groups.back().positions.end - groups.back().positions.begin < least;
    if (groups.empty() || (!same && !small)) groups.push_back({.positions = {i, i}, .taps = taps});
    groups.back().taps = joined(groups.back().taps, taps);
    groups.back().positions.end = i + 1;
  }
  if (groups.size() > 1 && groups.back().positions.end - groups.back().positions.begin < least) {
    Group& before = groups[groups.size() - 2];
    before.taps = joined(before.taps, groups.back().taps);
    before.positions.end = groups.back().positions.end;
    groups.pop_back();
  }
  return groups;
}

}  // namespace

TiledBlock make_tiles(const ConvProblem& problem, const PixelBlock& block, std::int64_t most, bool skip_outside) {
  const Axis vertical{problem.input.h, problem.kernel.kh, problem.stride.h, problem.dilation.h, problem.pads.top},
      horizontal{problem.input.w, problem.kernel.kw, problem.stride.w, problem.dilation.w, problem.pads.left};
  const auto groups = [&](const Axis& axis, const Range& positions, std::int64_t across) -> std::vector<Group> {
    if (!skip_outside) return {{.positions = positions, .taps = {0, axis.k}}};
    return group_by_taps(axis, positions, (kLeastPixels + across - 1) / across);
  };

  TiledBlock tiled;
  for (const Group& columns : groups(horizontal, block.columns, block.rows.end - block.rows.begin)) {
    const std::int64_t width = columns.positions.end - columns.positions.begin;
    for (const Group& rows : groups(vertical, block.rows, width)) {
      const auto first = static_cast<std::int64_t>(tiled.order.size());
      for (std::int64_t i = rows.positions.begin; i < rows.positions.end; ++i) {
        for (std::int64_t j = columns.positions.begin; j < columns.positions.end; ++j)
          tiled.order.push_back((i - block.rows.begin) * block.width() + j - block.columns.begin);
      }
      const std::int64_t pixels = static_cast<std::int64_t>(tiled.order.size()) - first;
      const std::int64_t count = (pixels + most - 1) / most;
      for (std::int64_t t = 0; t < count; ++t) {  // of nearly equal size
        const std::int64_t begin = pixels * t / count, end = pixels * (t + 1) / count;
        tiled.tiles.push_back({.pixels = end - begin, .u = rows.taps, .v = columns.taps, .first = first + begin});
      }
    }
  }
  return tiled;
}

}  // namespace convtool
