// packed: a matrix product over channels, for many output channels, with pixels read in place.
//
// The sums of a few pixels times two vectors of output channels stay in registers while all taps pass. Each tap
// multiplies one float of a pixel, broadcast, by vectors of packed weights:
//
//   strips        |c0 c1 c2 ..|c0 c1 c2 ..|c0 c1 c2 ..|    [x][c_i]  (channel_strips.h)
//   weights       block of output channels: [u][v][c][2 vectors]
//   sums[p][o]    += strip(u)[p * stride + v][c] * weights[u][v][c][o]
//
// A tap reads one scalar per pixel and one vector per 16 outputs or so, so nothing needs to be unfolded in memory (no
// im2col): a pixel of a tile is one pointer per kernel row, and its window is the floats that follow. The idea of such
// pointers is XNNPACK's (M. Dukhan, The Indirect Convolution Algorithm, 2019); keeping channels innermost in picture,
// weights and registers is that of J. Zhang, F. Franchetti, T. M. Low, High Performance Zero-Memory Overhead Direct
// Convolutions, 2018.
//
// The work is cut into blocks of pixels times blocks of output channels. All tiles of a pixel block pass one channel
// block before the next, so that its weights come from the second-level cache. Where padding is zero, pixels are
// grouped by the taps that lie inside the picture (pixel_tiles.h), and the other taps are not computed.
//
// A channel block of one vector would use each broadcast only once; there, neighbouring pixels share it
// (pixel_sums-inl.h).
//
// Applies when float sums are allowed (weights.h). Sums are taken in the order u, v, c, or u, c, v where pixels share
// broadcasts, by fused multiply-adds, so the error is that of direct: n * 2^-24 * sum|x||w|. Taps that are left out are
// exact zeros. Blocks, and so tiles, do not depend on how the work items are split.

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "conv/algorithms/packed/packed_sums.h"
#include "conv/bands.h"
#include "conv/engine/algorithm.h"
#include "conv/engine/channel_blocks.h"
#include "conv/engine/filled_weights.h"
#include "conv/engine/limits.h"
#include "conv/engine/simd.h"
#include "conv/engine/weights.h"
#include "conv/input/channel_strips.h"
#include "conv/input/tap_groups.h"
#include "conv/padding.h"
#include "core/whole_division.h"

namespace convtool {
namespace {

/// Pixels of a block: enough that each weight is used many times per load from the second-level cache.
constexpr std::int64_t kBlockPixels = 448;
/// Below this many output pixels, the small tiles that exact taps leave in the corners of the picture take longer, by 1
/// % or more, than joined tiles that compute all their taps.
constexpr std::int64_t kSmallPicture = 26 * 26;
/// Sums of a block, in floats: they stay in the second-level cache, together with weights and strips.
constexpr std::int64_t kBlockSums = std::int64_t{32} << 10;
/// The same where all channels are summed at once because they are combined: limited by memory, not by caches.
constexpr std::int64_t kMostSums = std::int64_t{1} << 20;
/// Enough work items for threads to share them evenly.
constexpr std::int64_t kEnoughItems = 32;
constexpr double kGoodStripBytes = 2 << 20;

class PackedExecutor final : public Executor {
 public:
  PackedExecutor(const ConvProblem& problem, const Kernel& kernel)
      : problem_(problem),
        out_(output_shape(problem)),
        taps_(taps_of(whole_problem(problem), kernel)),
        tiling_(problem, most_tile_pixels(), taps_),
        channel_blocks_(cut_channels(kernel.shape, problem.groups, kernel.shape.taps())) {
    pack(kernel);
    const ConvProblem whole = whole_problem(problem);
    const std::int64_t pixels = std::clamp<std::int64_t>(kMostSums / out_.c, 1, kBlockPixels);
    const std::int64_t height = output_shape(whole).h;
    block_columns_ = ceil_divided(out_.w, ceil_divided(out_.w, pixels));
    block_rows_ = std::clamp<std::int64_t>(pixels / block_columns_, 1, height);
    while (block_rows_ > 1 && ChannelStrips::bytes(whole, block_rows_) > kGoodStripBytes) --block_rows_;
    block_rows_ = ceil_divided(height, ceil_divided(height, block_rows_));
  }

  /// The order of a sum depends on whether its pixel shares a tile with those of other rows.
  std::int64_t row_period() const override { return block_rows_; }

  std::int64_t work_items(const Sink& sink) const override {
    return item_count(pixel_blocks(), channel_block_count(), channel_blocks_per_item(sink));
  }

  void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const override {
    const std::int64_t per_item = channel_blocks_per_item(sink);
    ChannelStrips strips(problem_, input, {.output_rows = block_rows_, .with_borders = taps_ != TileTaps::exact});
    const std::int64_t most_pitch = std::min(per_item * 2 * lanes_, out_.c + 2 * lanes_);
    Work work = make_work(sink, most_pitch);
    take_items(
        share, channel_block_count(), per_item, [&](std::int64_t block) { enter_block(block, strips, work); },
        [&](std::int64_t begin, std::int64_t end) { run_channel_blocks(begin, end, sink, work, stats); });
  }

 private:
  /// The state of a thread.
  struct Work {
    PixelBlock block;
    TiledBlock tiled;
    std::vector<ChannelStrip> strips;  // [row of the block][kh]
    std::vector<const float*> windows;
    std::vector<std::int64_t> rows;  // of sums
    std::vector<PlacedTile> placed;
    Tensor sums;                          // aligned for vectors
    std::unique_ptr<float[]> pixel_rows;  // for the sink
  };

  /// With all the memory that a run needs; `most_pitch` floats for the sums of a pixel.
  Work make_work(const Sink& sink, std::int64_t most_pitch) const {
    const std::int64_t pixels = block_rows_ * block_columns_, kh = problem_.kernel.kh;
    Work work{.tiled = tiling_.room_for(pixels),
              .sums = Tensor(DType::f32, {1, 1, 1, pixels * most_pitch + kRowSlack}),
              .pixel_rows = sink.pixel_rows()};
    work.strips.reserve(static_cast<std::size_t>(block_rows_ * kh));
    work.windows.reserve(static_cast<std::size_t>(pixels * kh));
    work.rows.reserve(static_cast<std::size_t>(pixels));
    work.placed.reserve(static_cast<std::size_t>(pixels));
    return work;
  }

  static TileTaps taps_of(const ConvProblem& whole, const Kernel& kernel) {
    if (!padding_adds_nothing(whole, kernel)) return TileTaps::all;
    const Shape out = output_shape(whole);
    return out.h * out.w < kSmallPicture ? TileTaps::needed : TileTaps::exact;
  }

  std::int64_t channel_block_count() const { return static_cast<std::int64_t>(channel_blocks_.size()); }

  std::int64_t pixel_blocks() const {
    return out_.n * ceil_divided(out_.h, block_rows_) * ceil_divided(out_.w, block_columns_);
  }

  std::int64_t channel_blocks_per_item(const Sink& sink) const {
    if (sink.combine_count() > 1) return channel_block_count();  // any channels may be combined
    const std::int64_t fit =
        std::max<std::int64_t>(1, kBlockSums / (block_rows_ * block_columns_ * channel_blocks_.front().width()));
    const std::int64_t shared = std::max<std::int64_t>(1, channel_block_count() * pixel_blocks() / kEnoughItems);
    return std::min({fit, shared, channel_block_count()});
  }

  void pack(const Kernel& kernel) {
    const KernelShape& k = kernel.shape;
    const ChannelBlock& last = channel_blocks_.back();
    weights_ = Tensor(DType::f32, {1, 1, 1, last.weights + k.taps() * last.width()});
    // The taps of a channel, [o][tap], are copied first: reading or writing them at their large steps is slow.
    const std::int64_t taps = k.kh * k.kw;
    std::vector<float> copied(static_cast<std::size_t>(channel_blocks_.front().channels * taps));
    for (const ChannelBlock& of : channel_blocks_) {
      const std::int64_t width = of.width(), step = k.c_i_per_group * width;
      float* to = weights_.data<float>() + of.weights;
      for (std::int64_t c = 0; c < k.c_i_per_group; ++c, to += width) {
        for (std::int64_t o = 0; o < of.channels; ++o)
          std::copy_n(kernel.taps(of.first + o, c), taps, copied.data() + o * taps);
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          for (std::int64_t o = 0; o < of.channels; ++o)
            to[tap * step + o] = copied[static_cast<std::size_t>(o * taps + tap)];
          std::fill_n(to + tap * step + of.channels, width - of.channels, 0.0F);
        }
      }
    }
  }

  void enter_block(std::int64_t index, ChannelStrips& strips, Work& work) const {
    const std::int64_t across = ceil_divided(out_.w, block_columns_), down = ceil_divided(out_.h, block_rows_);
    const auto range = [](std::int64_t at, std::int64_t size, std::int64_t end) {
      return Range{at * size, std::min((at + 1) * size, end)};
    };
    work.block = {.n = index / (across * down),
                  .rows = range(index / across % down, block_rows_, out_.h),
                  .columns = range(index % across, block_columns_, out_.w)};
    tiling_.cut(work.block, work.tiled);
    work.strips.clear();
    for (std::int64_t i = work.block.rows.begin; i < work.block.rows.end; ++i) {
      for (std::int64_t u = 0; u < problem_.kernel.kh; ++u) {
        const std::int64_t y = i * problem_.stride.h - problem_.pads.top + u * problem_.dilation.h;
        const bool skipped = taps_ == TileTaps::exact && (y < 0 || y >= problem_.input.h);
        work.strips.push_back(skipped ? ChannelStrip{} : strips.row(work.block.n, y));
      }
    }
    place_tiles(work);
  }

  /// Sets, for each tile, where its pixels read and write.
  void place_tiles(Work& work) const {
    const PixelBlock& block = work.block;
    work.windows.resize(static_cast<std::size_t>(block.pixels() * problem_.kernel.kh));
    work.rows.resize(static_cast<std::size_t>(block.pixels()));
    work.placed.clear();
    const float** windows = work.windows.data();
    std::int64_t* rows = work.rows.data();
    for (const PixelTile& tile : work.tiled.tiles) {
      const PixelPlace* places = tile.list < 0 ? &tile.first : work.tiled.places.data() + tile.list;
      const std::int64_t count = tile.list < 0 ? 1 : tile.pixels;
      work.placed.push_back(
          {.tile = &tile, .windows = windows, .step = problem_.stride.w * problem_.input.c, .rows = rows});
      for (std::int64_t u = tile.u.begin; u < tile.u.end; ++u) {
        for (std::int64_t p = 0; p < count; ++p) {
          const ChannelStrip& strip =
              work.strips[static_cast<std::size_t>((places[p].i - block.rows.begin) * problem_.kernel.kh + u)];
          *windows++ = strip(places[p].j * problem_.stride.w + tile.v.begin * problem_.dilation.w);
        }
      }
      for (std::int64_t p = 0; p < count; ++p)
        *rows++ = (places[p].i - block.rows.begin) * block.width() + places[p].j - block.columns.begin;
    }
  }

  void run_channel_blocks(std::int64_t begin, std::int64_t end, const Sink& sink, Work& work,
                          ResponseStats& stats) const {
    const std::span<const ChannelBlock> blocks =
        std::span(channel_blocks_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    const std::int64_t first = blocks.front().first;
    const Sums sums = place_sums(blocks, sink, work);
    SeenSums seen;
    for (const ChannelBlock& of : blocks) {
      const PackedWeights packed{.weights = weights_.data<float>() + of.weights,
                                 .vectors = of.vectors,
                                 .kw = problem_.kernel.kw,
                                 .channels = problem_.kernel.c_i_per_group,
                                 .step = problem_.dilation.w * problem_.input.c,
                                 .first_channel = of.group * problem_.kernel.c_i_per_group};
      sum_tiles(
          work.placed.data(), static_cast<std::int64_t>(work.placed.size()), packed,
          {.sums = sums.first + (of.first - first), .pitch = sums.pitch, .seen = sums.in_output ? &seen : nullptr});
    }
    if (sums.in_output && seen.is_finite()) return seen.merge_into(stats);
    const PixelBlock& block = work.block;
    for (std::int64_t i = block.rows.begin; i < block.rows.end; ++i) {
      sink.finish_pixels(row_of(block, i), first, channel_count(blocks),
                         sums.first + (i - block.rows.begin) * block.width() * sums.pitch, sums.pitch,
                         work.pixel_rows.get(), stats);
    }
  }

  /// Where the sums of a block go: pixels by rows, `pitch` apart.
  struct Sums {
    float* first;
    std::int64_t pitch;
    bool in_output;
  };

  static RowSpan row_of(const PixelBlock& block, std::int64_t i) {
    return {.n = block.n, .y = i, .x = block.columns.begin, .count = block.width()};
  }

  /// The output itself, if it stores sums unchanged, the rows of the pixel block follow one another in it, and the
  /// channel blocks fill their vectors; else a buffer.
  Sums place_sums(std::span<const ChannelBlock> blocks, const Sink& sink, Work& work) const {
    const PixelBlock& block = work.block;
    const std::int64_t first = blocks.front().first;
    if (fill_vectors(blocks) && sink.strides().c == 1) {
      float* place = sink.place_of(row_of(block, block.rows.begin), first);
      const bool one_row = block.rows.begin + 1 == block.rows.end;
      if (place != nullptr && (one_row || sink.place_of(row_of(block, block.rows.begin + 1), first) ==
                                              place + block.width() * sink.strides().w))
        return {place, sink.strides().w, true};
    }
    return {work.sums.data<float>(), sums_per_pixel(blocks), false};
  }

  const ConvProblem& problem_;
  const Shape out_;
  const TileTaps taps_;
  const Tiling tiling_;
  const std::int64_t lanes_ = float_lanes();
  std::int64_t block_rows_ = 1, block_columns_ = 1;
  const std::vector<ChannelBlock> channel_blocks_;
  Tensor weights_;
};

/// In nanoseconds, fitted to layers of 3 to 512 channels: 0.12 ns per vector of multiply-adds with AVX-512, 0.14 with
/// AVX2, 0.2 with SSE4; the other constants to 1->16 at 572x572 and 3->16 at 1080p. A vector that outputs do not fill
/// costs as much as a full one.
double cost(const ConvProblem& problem) {
  const std::int64_t outputs = problem.kernel.c_o / problem.groups, lanes = float_lanes();
  const double filled = static_cast<double>(outputs) / static_cast<double>(ceil_divided(outputs, lanes) * lanes);
  return 2000 +
         ((lanes > 4 ? 0.13 : 0.2) / static_cast<double>(lanes) * mac_count(problem) +
          (problem.output_channels_last ? 0.3 : 0.6) * static_cast<double>(output_shape(problem).count())) /
             filled +
         (problem.input_channels_last ? 0.1 : 0.5) * static_cast<double>(problem.input.count());
}

/// Strips, which may fill the cache with more of them, rows of pixels before they are interleaved, and for the pixels
/// of a block the sums, their places and those of the rows that they see.
double thread_memory(const ConvProblem& problem) {
  const std::int64_t channels = output_shape(problem).c,
                     pixels = std::clamp<std::int64_t>(kMostSums / channels, 1, kBlockPixels);
  const std::int64_t pixel = 4 * (channels + 4 * float_lanes()) + 16 * problem.kernel.kh + 256;
  return std::max(kGoodStripBytes, ChannelStrips::bytes(problem, 1)) + static_cast<double>(kCacheBytes) +
         4 * static_cast<double>(problem.input.c) * static_cast<double>(problem.input.w) +
         static_cast<double>(pixels * pixel);
}

}  // namespace

const Algorithm kPacked = {
    .name = "packed",
    .threaded = true,
    .can_choose = true,
    .consider = [](const ConvProblem& problem, const Kernel& kernel) -> Offer {
      if (ChannelStrips::bytes(problem, 1) > kMostStripMemory) return refuse(kBeyondStripMemory);
      if (fills_up_too_much(problem, filled_weights(problem))) return refuse(kFillsUpTooMuch);
      if (!float_sums_suffice(problem, kernel)) return refuse(kBeyondFloat);
      return {.nanoseconds = cost(problem),
              .thread_memory = thread_memory(problem),
              .sum_memory = kPixelRowBytes,
              .make = [&problem, &kernel] { return std::make_unique<PackedExecutor>(problem, kernel); }};
    },
};

}  // namespace convtool
