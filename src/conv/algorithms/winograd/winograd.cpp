// winograd: 3x3 kernels over many channels, with 4 instead of 9 multiply-adds per output and channel.
//
// Winograd's F(2x2, 3x3) computes the 2x2 outputs of a tile from the 4x4 pixels d that they see:
//
//   A' [ sum over c of (G g G') .* (B' d B) ] A        .* multiplies value by value
//
//        1  0 -1  0           1    0    0
//   B' = 0  1  1  0     G =  1/2  1/2  1/2     A' = 1  1  1  0
//        0 -1  1  0          1/2 -1/2  1/2          0  1 -1 -1
//        0  1  0 -1           0    0    1
//
// (S. Winograd, Arithmetic Complexity of Computations, 1980; for layers: A. Lavin, S. Gray, Fast Algorithms for
// Convolutional Neural Networks, 2016.) A tile takes 16 products per pair of channels instead of 36, and its transforms
// are additions, which many channels share. The 16 sums over channels are 16 matrix products:
//
//   pixels d   -> B' d B   [k][tile][c]       once per block of tiles
//                    * G g G'  [k][c][2 vectors of outputs]    prepared
//                    = sums    [k][tile][2 vectors]            per channel block, in the second-level cache
//   outputs   <- A' sums A
//
// Applies to f32 pictures with stride 1 and dilation 1, and kernels of at least 8 input channels most of whose weights
// are not 0. Larger tiles, such as F(4x4, 3x3), multiply less, but their constants grow, and with them their error.
//
// An output depends on no pixel outside its own window, since the entries of B' d B that it adds do not. So NaN stays
// where it belongs, but infinity, and pixels near the largest float, become NaN. Outputs that are not finite are summed
// again by the definition.
//
// Error. Let u = 2^-24, and n the number of input channels. An entry of B' d B adds four pixels in two steps: it is at
// most 4 max|x|, and errs by at most 2u of that. G g G' is computed in double and rounded: u. A sum over channels errs
// by n u of its absolute products, and A' m A, which adds nine sums in four steps, by 4u. These k = n + 7 roundings,
// one on top of the other, are k u / (1 - k u) at most, the roundings in double included (N. Higham, Accuracy and
// Stability of Numerical Algorithms, 2002, lemma 3.1). The absolute values of the nine entries of G g G' that an output
// uses add up to 4 sum|w| at most, since no entry of |A'| |G| exceeds 2. So a sum errs by at most
//
//   16 k u / (1 - k u) max|x| sum|w|
//
// over the pixels of its window, where direct has 9 n u sum|x||w|. With equal weights that is twice as much. But a
// bright pixel adds to the error of a sum even where its weight is small or 0. That is why kernels with many zeros,
// such as shifts, are left to others, and pictures of a few channels, whose values may have any range. Sums of weights
// that are all below 2^-100 are, too: their transforms may be subnormal, and then err by more.

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "conv/algorithms/winograd/winograd_tiles.h"
#include "conv/algorithms/winograd/winograd_weights.h"
#include "conv/bands.h"
#include "conv/engine/algorithm.h"
#include "conv/engine/filled_weights.h"
#include "conv/engine/limits.h"
#include "conv/engine/simd.h"
#include "conv/input/channel_strips.h"
#include "conv/padding.h"
#include "core/whole_division.h"

namespace convtool {
namespace {

/// The transformed pixels and the sums of a block, in floats: they stay in the second-level cache.
constexpr std::int64_t kBlockFloats = std::int64_t{128} << 10;
/// Tiles of a block: enough that each weight is used several times per load, and few enough for threads to share.
constexpr std::int64_t kLeastTiles = 28, kMostTiles = 448;
/// Below this number of input channels, the transforms take longer than the products that they save.
constexpr std::int64_t kLeastChannels = 8;
/// Enough work items for threads to share them evenly.
constexpr std::int64_t kEnoughItems = 32;

std::int64_t in_vectors(std::int64_t channels) { return ceil_divided(channels, float_lanes()) * float_lanes(); }

/// Tiles of a block, down and across. Those of a band are those of the whole picture.
Extent block_size(const ConvProblem& problem) {
  const std::int64_t channels = in_vectors(problem.kernel.c_i_per_group) + 2 * float_lanes(),
                     tiles = std::clamp(kBlockFloats / (kWinogradValues * channels), kLeastTiles, kMostTiles);
  const Shape out = output_shape(whole_problem(problem));
  const auto evenly = [](std::int64_t all, std::int64_t most) { return ceil_divided(all, ceil_divided(all, most)); };
  const std::int64_t across = evenly(ceil_divided(out.w, kWinogradOutput), tiles);
  return {evenly(ceil_divided(out.h, kWinogradOutput), std::max<std::int64_t>(1, tiles / across)), across};
}

class WinogradExecutor final : public Executor {
 public:
  WinogradExecutor(const ConvProblem& problem, const Kernel& kernel)
      : problem_(problem),
        kernel_(kernel),
        out_(output_shape(problem)),
        block_(block_size(problem)),
        weights_(kernel, problem.groups) {
    place_columns();
  }

  std::int64_t row_period() const override { return kWinogradOutput; }

  std::int64_t work_items(const Sink& sink) const override {
    return item_count(out_.n * blocks_down() * blocks_across(), channel_block_count(), channel_blocks_per_item(sink));
  }

  void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const override {
    const std::int64_t per_item = channel_blocks_per_item(sink);
    ChannelStrips strips(problem_, input,
                         {.output_rows = block_.h * kWinogradOutput,
                          .with_borders = false,
                          .with_slack = kernel_.shape.c_i_per_group % lanes_ != 0});
    Work work = make_work(sink, std::min(per_item * 2 * lanes_, out_.c + 2 * lanes_));
    take_items(
        share, channel_block_count(), per_item, [&](std::int64_t block) { enter_block(block, strips, work); },
        [&](std::int64_t begin, std::int64_t end) { run_channel_blocks(begin, end, sink, work, stats); });
  }

 private:
  /// Tiles, and the outputs that they have in the picture.
  struct Block {
    std::int64_t n = 0;
    Range down, across;   // tiles
    Range rows, columns;  // outputs

    std::int64_t width() const { return across.end - across.begin; }
  };

  /// The state of a thread.
  struct Work {
    Block block;
    std::vector<const float*> rows;  // that the block sees, from the picture's first column on; null outside
    std::int64_t group = -1;         // whose pixels are transformed
    Tensor pixels, sums;             // transformed
    Tensor outputs;
    std::unique_ptr<float[]> pixel_rows;  // for the sink
  };

  Work make_work(const Sink& sink, std::int64_t most_pitch) const {
    const std::int64_t tiles = block_.h * block_.w;
    const auto floats = [](std::int64_t size) { return Tensor(DType::f32, {1, 1, 1, size}); };
    Work work{.pixels = floats(kWinogradValues * tiles * pixel_pitch_),
              .sums = floats(kWinogradValues * tiles * 2 * lanes_),
              .outputs = floats(tiles * kWinogradOutput * kWinogradOutput * most_pitch),
              .pixel_rows = sink.pixel_rows()};
    work.rows.reserve(static_cast<std::size_t>((block_.h + 1) * kWinogradOutput));
    return work;
  }

  std::int64_t channel_block_count() const { return std::ssize(weights_.blocks()); }
  std::int64_t blocks_down() const { return ceil_divided(out_.h, kWinogradOutput * block_.h); }
  std::int64_t blocks_across() const { return ceil_divided(out_.w, kWinogradOutput * block_.w); }

  std::int64_t channel_blocks_per_item(const Sink& sink) const {
    if (sink.combine_count() > 1) return channel_block_count();  // any channels may be combined
    return std::max<std::int64_t>(1, channel_block_count() * out_.n * blocks_down() * blocks_across() / kEnoughItems);
  }

  void place_columns() {
    for (std::int64_t x = 0; x < out_.w + 2; ++x) {
      const std::int64_t column = pad_index(problem_.padding_mode, x - problem_.pads.left, problem_.input.w);
      columns_.push_back(column == kOutside ? kOutside : column * problem_.input.c);
    }
    // The last tile of an odd number of columns lacks a fourth, which only outputs beside the picture see.
    columns_.push_back(columns_.back());
    outside_.assign(static_cast<std::size_t>(in_vectors(problem_.kernel.c_i_per_group)), problem_.padding_value);
  }

  /// The pixel that padded column x of a row shows.
  const float* pixel(const float* row, std::int64_t x, std::int64_t first_channel) const {
    const std::int64_t column = columns_[static_cast<std::size_t>(x)];
    return row == nullptr || column < 0 ? outside_.data() : row + column + first_channel;
  }

  void enter_block(std::int64_t index, ChannelStrips& strips, Work& work) const {
    const auto range = [](std::int64_t at, std::int64_t size, std::int64_t end) {
      return Range{at * size, std::min((at + 1) * size, end)};
    };
    Block& block = work.block;
    block.n = index / (blocks_across() * blocks_down());
    block.down = range(index / blocks_across() % blocks_down(), block_.h, ceil_divided(out_.h, kWinogradOutput));
    block.across = range(index % blocks_across(), block_.w, ceil_divided(out_.w, kWinogradOutput));
    block.rows = {block.down.begin * kWinogradOutput, std::min(block.down.end * kWinogradOutput, out_.h)};
    block.columns = {block.across.begin * kWinogradOutput, std::min(block.across.end * kWinogradOutput, out_.w)};
    work.rows.clear();
    for (std::int64_t i = block.rows.begin; i < block.rows.end + 2; ++i) {
      const std::int64_t y = pad_index(problem_.padding_mode, i - problem_.pads.top, problem_.input.h);
      work.rows.push_back(y == kOutside ? nullptr : strips.row(block.n, y)(problem_.pads.left));
    }
    work.group = -1;
  }

  static TransformedTiles tiles_of(Tensor& floats, std::int64_t pitch, std::int64_t tiles, std::int64_t first = 0) {
    return {.values = floats.data<float>() + first * pitch, .pitch = pitch, .plane = tiles * pitch};
  }

  std::int64_t tiles_in(const Block& block) const { return (block.down.end - block.down.begin) * block.width(); }

  void transform_group(std::int64_t group, Work& work) const {
    const Block& block = work.block;
    const std::int64_t channels = kernel_.shape.c_i_per_group;
    for (std::int64_t row = 0; row < block.down.end - block.down.begin; ++row) {
      TileRow tiles{.columns = columns_.data() + block.columns.begin, .outside = outside_.data()};
      for (std::int64_t y = 0; y < kWinogradInput; ++y) {
        // The last tile of an odd number of rows lacks a fourth row, which only outputs below the picture see.
        const std::int64_t at = row * kWinogradOutput + y;
        const float* first = at < std::ssize(work.rows) ? work.rows[static_cast<std::size_t>(at)] : nullptr;
        tiles.rows[y] = first == nullptr ? nullptr : first + group * channels;
      }
      transform_pixels(tiles, block.width(), in_vectors(channels),
                       tiles_of(work.pixels, pixel_pitch_, tiles_in(block), row * block.width()));
    }
    work.group = group;
  }

  void run_channel_blocks(std::int64_t begin, std::int64_t end, const Sink& sink, Work& work,
                          ResponseStats& stats) const {
    const Block& block = work.block;
    const std::span<const ChannelBlock> blocks =
        std::span(weights_.blocks()).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    const std::int64_t first = blocks.front().first, channels = channel_count(blocks),
                       columns = block.columns.end - block.columns.begin;
    const auto span_of = [&](std::int64_t i) {
      return RowSpan{.n = block.n, .y = i, .x = block.columns.begin, .count = columns};
    };
    const bool in_output =
        fill_vectors(blocks) && sink.strides().c == 1 && sink.place_of(span_of(block.rows.begin), 0) != nullptr;
    const std::int64_t pitch = in_output ? sink.strides().w : sums_per_pixel(blocks);
    const auto row_of = [&](std::int64_t i) {
      return in_output ? sink.place_of(span_of(i), first)
                       : work.outputs.data<float>() + (i - block.rows.begin) * columns * pitch;
    };
    SeenSums seen;
    for (const ChannelBlock& of : blocks) {
      if (of.group != work.group) transform_group(of.group, work);
      const std::int64_t width = of.width(), tiles = tiles_in(block);
      multiply_tiles(tiles_of(work.pixels, pixel_pitch_, tiles), tiles, kernel_.shape.c_i_per_group, weights_.of(of),
                     of.vectors, tiles_of(work.sums, width, tiles));
      for (std::int64_t row = 0; row < block.down.end - block.down.begin; ++row) {
        const std::int64_t i = block.rows.begin + row * kWinogradOutput;
        const std::int64_t at = of.first - first;
        transform_sums(tiles_of(work.sums, width, tiles, row * block.width()), of.vectors,
                       {.rows = {row_of(i) + at, i + 1 < block.rows.end ? row_of(i + 1) + at : nullptr},
                        .pitch = pitch,
                        .columns = columns,
                        .seen = seen});
      }
    }
    if (!seen.is_finite()) {
      for (std::int64_t i = block.rows.begin; i < block.rows.end; ++i)
        sum_again(i, first, channels, row_of(i), pitch, work);
    } else if (in_output) {
      return seen.merge_into(stats);
    }
    for (std::int64_t i = block.rows.begin; i < block.rows.end; ++i)
      sink.finish_pixels(span_of(i), first, channels, row_of(i), pitch, work.pixel_rows.get(), stats);
  }

  /// Sums the outputs of row i that are not finite by the definition, in double.
  void sum_again(std::int64_t i, std::int64_t first, std::int64_t channels, float* sums, std::int64_t pitch,
                 const Work& work) const {
    const Block& block = work.block;
    const KernelShape& k = kernel_.shape;
    for (std::int64_t j = block.columns.begin; j < block.columns.end; ++j, sums += pitch) {
      for (std::int64_t o = 0; o < channels; ++o) {
        if (std::isfinite(sums[o])) continue;
        const std::int64_t first_input = (first + o) / (k.c_o / problem_.groups) * k.c_i_per_group;
        double sum = 0;
        for (std::int64_t tap = 0; tap < k.kh * k.kw; ++tap) {
          const float* row = work.rows[static_cast<std::size_t>(i - block.rows.begin + tap / k.kw)];
          const float* seen = pixel(row, j + tap % k.kw, first_input);
          for (std::int64_t c = 0; c < k.c_i_per_group; ++c)
            sum += static_cast<double>(kernel_.taps(first + o, c)[tap]) * static_cast<double>(seen[c]);
          if (std::isnan(sum)) break;  // it stays NaN
        }
        sums[o] = static_cast<float>(sum);
      }
    }
  }

  const ConvProblem& problem_;
  const Kernel& kernel_;
  const Shape out_;
  const Extent block_;
  const WinogradWeights weights_;
  const std::int64_t lanes_ = float_lanes();
  /// A vector more than needed, so that tiles spread over cache sets.
  const std::int64_t pixel_pitch_ = in_vectors(problem_.kernel.c_i_per_group) + lanes_;
  std::vector<std::int64_t> columns_;  // of the padded picture: floats from the picture's first, or kOutside
  std::vector<float> outside_;         // a pixel there
};

double error_units(const ConvProblem& problem) {
  const auto roundings = static_cast<double>(problem.kernel.c_i_per_group + 7);
  return 16 * roundings / (1 - 0x1p-24 * roundings);
}

/// In nanoseconds, fitted to layers of 8 to 512 channels with AVX-512 and AVX2 on a Zen 5 server processor: 0.13 ns per
/// vector of multiply-adds, 0.2 with SSE4; transforms by vectors of channels; and the weights, which each block of
/// tiles loads from the caches behind the second.
double cost(const ConvProblem& problem) {
  const Shape out = output_shape(problem);
  const Extent block = block_size(problem);
  const std::int64_t lanes = float_lanes(), groups = problem.groups,
                     inputs = in_vectors(problem.kernel.c_i_per_group) / lanes * groups,
                     outputs = in_vectors(problem.kernel.c_o / groups) / lanes * groups,
                     tiles = out.n * ceil_divided(out.h, kWinogradOutput) * ceil_divided(out.w, kWinogradOutput);
  const auto products = static_cast<double>(kWinogradValues * problem.kernel.c_i_per_group * outputs);
  const auto transforms = static_cast<double>(40 * groups + 25 * inputs + 15 * outputs);
  const auto weights = static_cast<double>(lanes * ceil_divided(tiles, block.h * block.w)) * 0.08 * products;
  const double planes = (problem.input_channels_last ? 0 : 0.2 * static_cast<double>(problem.input.count())) +
                        (problem.output_channels_last ? 0 : 0.45 * static_cast<double>(out.count()));
  return 4000 + static_cast<double>(tiles) * ((lanes > 4 ? 0.13 : 0.2) * products + transforms) + weights + planes;
}

/// The strips of a block, which may fill the cache with more of them; the transformed pixels and sums, and the outputs,
/// of its tiles.
double thread_memory(const ConvProblem& problem) {
  const Extent block = block_size(problem);
  const std::int64_t transformed = kWinogradValues * (problem.kernel.c_i_per_group + 4 * float_lanes()),
                     outputs = kWinogradOutput * kWinogradOutput * (problem.kernel.c_o + 2 * float_lanes());
  return ChannelStrips::bytes(problem, block.h * kWinogradOutput) + static_cast<double>(kCacheBytes) +
         4 * static_cast<double>(block.h * block.w) * static_cast<double>(transformed + outputs);
}

/// Whether at least half of the weights of every output have a magnitude.
bool has_many_weights(const Kernel& kernel) {
  constexpr float kLeastWeight = 0x1p-100F;
  const std::int64_t taps = kernel.shape.taps();
  for (std::int64_t o = 0; o < kernel.shape.c_o; ++o) {
    const float* weights = kernel.taps(o, 0);
    const auto many = std::count_if(weights, weights + taps, [](float w) { return std::fabs(w) >= kLeastWeight; });
    if (2 * many < taps) return false;
  }
  return true;
}

}  // namespace

const Algorithm kWinograd = {
    .name = "winograd",
    .threaded = true,
    .can_choose = true,
    .consider = [](const ConvProblem& problem, const Kernel& kernel) -> Offer {
      const KernelShape& k = problem.kernel;
      if (k.kh != 3 || k.kw != 3) return refuse("the kernel is not 3x3");
      if (problem.stride != Extent{1, 1} || problem.dilation != Extent{1, 1})
        return refuse("the stride or the dilation is not 1");
      if (problem.input_dtype != DType::f32) return refuse("the pixels are not float");
      if (problem.direct_error) return refuse("a bright pixel would add to its error even where its weight is small");
      if (k.c_i_per_group < kLeastChannels) return refuse("there are fewer than 8 input channels");
      if (thread_memory(problem) > kMostMemory) return refuse(kBeyondMemory);
      if (fills_up_too_much(problem, kWinogradFloats * filled_weights(problem))) return refuse(kFillsUpTooMuch);
      if (!has_many_weights(kernel)) return refuse("most weights of an output are 0 or nearly 0");
      return {.nanoseconds = cost(problem),
              .error_units = error_units(problem),
              .thread_memory = thread_memory(problem),
              .sum_memory = kPixelRowBytes,
              .make = [&problem, &kernel] { return std::make_unique<WinogradExecutor>(problem, kernel); }};
    },
};

}  // namespace convtool
