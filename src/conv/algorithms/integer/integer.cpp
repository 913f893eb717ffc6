// integer: u8 pictures and whole weights, by exact dot products in 32-bit integers.
//
// A byte times an 8-bit or 16-bit weight needs no float: one instruction multiplies two or four neighbouring pixels by
// their weights and adds the products within a 32-bit lane (dot.h). So a tap costs a quarter or half of a float tap, no
// row is converted, and pixels stay one byte wide in memory: 3x3 and 5x5 run near the speed of memory.
//
// Work is done in blocks of kDotRows output rows, each cut into tiles of about kTileColumns columns, so that the sums
// of a tile stay in the first-level cache until the sink has taken them:
//
//     row of the picture |<- strip ->|<- in place ->|<- in place ->|<- strip ->|
//
// Interior tiles read the picture in place. At the left and right edge of the picture, and where its pixels are not
// contiguous, the rows of a tile are copied into strips together with the border columns. A row above or below the
// picture is only a pointer, to the row that padding.h names or to a strip of the padding value.
//
// An interleaved picture whose channels all have the same weights is treated as one flat channel of width * channels
// bytes, where a tap's neighbour is `channels` bytes away. (OpenCV's filter2D does the same.)
//
// Applies to u8 with stride and dilation 1 and a padding value that is a byte. The weights have to be 16-bit integers,
// or such integers times one power of two 2^-n (the 1/16 of a binomial kernel). For those integers 255 * sum|w| has to
// be less than 2^31, so that no partial sum overflows in any order. Every sum is exact, hence the same on every
// instruction set and for any split of the work. Sums scaled by 2^-n are passed to the sink as float if they have at
// most 24 bits, and as double otherwise; both are exact.

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "conv/algorithms/integer/dot.h"
#include "conv/engine/algorithm.h"
#include "conv/engine/flat_run.h"
#include "conv/engine/instruction_set.h"
#include "conv/engine/limits.h"
#include "conv/engine/simd.h"
#include "conv/engine/weights.h"
#include "conv/padding.h"

namespace convtool {
namespace {

/// The most columns of a tile. A multiple of kDotColumns.
constexpr std::int64_t kTileColumns = 2048;

/// Tiles are narrower where their strips take more than kStripBytes, but no narrower than kLeastColumns.
constexpr std::int64_t kStripBytes = std::int64_t{256} << 10;
constexpr std::int64_t kLeastColumns = 64;

/// The number of input rows that a tile sees, over all channels of a group.
std::int64_t window_rows(const KernelShape& k) { return k.c_i_per_group * (k.kh + kDotRows - 1); }

/// The most bytes of a row that dot_rows() reads for `columns` columns (DotKernel::reach).
std::int64_t strip_length(const KernelShape& k, std::int64_t columns, std::int64_t step) {
  return columns + (k.kw + 4) * step + 2 * kDotColumns;
}

/// Output rows [y, y + rows) of batch item n, columns [x, x + columns).
struct Tile {
  std::int64_t n, y, rows, x, columns;
  bool in_place;  // everything that dot_rows() reads for it lies within the picture's rows
};

/// One thread's share of a run, on a picture as it is or on its flat view. Columns are those of the view, `step` of
/// them per pixel.
class Pass {
 public:
  Pass(const ConvProblem& problem, const std::vector<DotKernel>& kernels, const TensorView<const std::uint8_t>& input,
       std::int64_t step, const Sink& sink, ResponseStats& stats)
      : problem_(problem),
        k_(problem.kernel),
        kernels_(kernels),
        input_(input),
        step_(step),
        left_(problem.pads.left * step),
        oh_(output_shape(problem).h),
        ow_(output_shape(problem).w * step),
        sink_(sink),
        stats_(stats),
        most_columns_(
            std::clamp(kStripBytes / window_rows(k_) - strip_length(k_, 0, step), kLeastColumns, kTileColumns) /
            kDotColumns * kDotColumns),
        strip_length_(strip_length(k_, most_columns_, step)),
        outside_(static_cast<std::size_t>(strip_length_), static_cast<std::uint8_t>(problem.padding_value)),
        strips_(static_cast<std::size_t>(window_rows(k_) * strip_length_)),
        rows_(static_cast<std::size_t>(window_rows(k_)), outside_.data()),
        sums_(static_cast<std::size_t>(sink.combine_count() * kDotRows * most_columns_)) {}

  /// Computes output rows [begin, end), counted through the batch.
  void run(WorkShare& share) {
    for (Range left; !(left = share.take(kDotRows)).is_empty();) {
      while (!left.is_empty()) {  // in one picture of the batch or two
        const std::int64_t n = left.begin / oh_, y = left.begin % oh_, rows = std::min(oh_ - y, left.size());
        for (std::int64_t x = 0; x < ow_;) {
          const Tile tile = tile_at(n, y, rows, x);
          run_tile(tile);
          x += tile.columns;
        }
        left.begin += rows;
      }
    }
  }

 private:
  /// The tile that begins at column x.
  Tile tile_at(std::int64_t n, std::int64_t y, std::int64_t rows, std::int64_t x) const {
    Tile tile{.n = n, .y = y, .rows = rows, .x = x, .columns = std::min(most_columns_, ow_ - x), .in_place = false};
    if (input_.strides.w != 1) return tile;
    // Up to here tiles read no byte past a row of the picture.
    const std::int64_t inside_end = left_ + input_.shape.w - strip_length(k_, 0, step_);
    tile.in_place = x >= left_ && x + kLeastColumns <= inside_end;
    if (tile.in_place) tile.columns = std::min(tile.columns, inside_end - x);
    if (x < left_) tile.columns = std::min(tile.columns, (left_ - x + kDotColumns - 1) / kDotColumns * kDotColumns);
    return tile;
  }

  void run_tile(const Tile& tile) {
    const std::int64_t joined = sink_.combine_count(), sums_per_group = k_.c_o / problem_.groups;
    std::int64_t group = -1;
    for (std::int64_t c = 0; c < sink_.output_channels(); ++c) {
      for (std::int64_t j = 0; j < joined; ++j) {
        const std::int64_t o = c * joined + j;
        if (group != o / sums_per_group) {
          group = o / sums_per_group;
          show_rows(tile, group);
        }
        dot_rows(kernels_[static_cast<std::size_t>(o)], step_, rows_.data(), tile.columns,
                 sums_.data() + j * kDotRows * most_columns_, most_columns_);
      }
      for (std::int64_t row = 0; row < tile.rows; ++row) {
        sink_.finish({.n = tile.n, .y = tile.y + row, .x = tile.x, .count = tile.columns}, c,
                     sums_.data() + row * most_columns_, kDotRows * most_columns_, stats_);
      }
    }
  }

  /// Points rows_ at the input rows that the tile sees in a group's channels.
  void show_rows(const Tile& tile, std::int64_t group) {
    for (std::int64_t c = 0; c < k_.c_i_per_group; ++c) {
      const std::int64_t first = c * (k_.kh + kDotRows - 1);
      for (std::int64_t u = 0; u < k_.kh + tile.rows - 1; ++u) {  // the sums of further rows are not used
        const std::int64_t y = pad_index(problem_.padding_mode, tile.y - problem_.pads.top + u, input_.shape.h);
        const std::uint8_t*& row = rows_[static_cast<std::size_t>(first + u)];
        if (y == kOutside) {
          row = outside_.data();
          continue;
        }
        const std::uint8_t* pixels = input_.row(tile.n, group * k_.c_i_per_group + c, y);
        row = tile.in_place ? pixels + tile.x - left_ : strip_of(pixels, tile, first + u);
      }
    }
  }

  /// Copies the part of the row at `pixels` that the tile sees to strip `place`, and fills in its border columns.
  const std::uint8_t* strip_of(const std::uint8_t* pixels, const Tile& tile, std::int64_t place) {
    std::uint8_t* strip = strips_.data() + place * strip_length_;
    const std::int64_t first = tile.x - left_, end = first + tile.columns + (k_.kw - 1) * step_;
    const std::int64_t inside = std::clamp<std::int64_t>(0, first, end);
    const std::int64_t inside_end = std::clamp<std::int64_t>(input_.shape.w, inside, end);
    for (std::int64_t x = first; x < inside; ++x) strip[x - first] = border(pixels, x);
    if (input_.strides.w == 1) {
      std::copy(pixels + inside, pixels + inside_end, strip + (inside - first));
    } else {
      for (std::int64_t x = inside; x < inside_end; ++x) strip[x - first] = pixels[x * input_.strides.w];
    }
    for (std::int64_t x = inside_end; x < end; ++x) strip[x - first] = border(pixels, x);
    return strip;
  }

  /// The value at column `x` of a row, outside the picture.
  std::uint8_t border(const std::uint8_t* pixels, std::int64_t x) const {
    const std::int64_t column = pad_column(problem_.padding_mode, x, input_.shape.w, step_);
    return column == kOutside ? outside_[0] : pixels[column * input_.strides.w];
  }

  const ConvProblem& problem_;
  const KernelShape& k_;
  const std::vector<DotKernel>& kernels_;
  const TensorView<const std::uint8_t> input_;
  const std::int64_t step_, left_, oh_, ow_;
  const Sink sink_;
  ResponseStats& stats_;
  const std::int64_t most_columns_, strip_length_;
  const std::vector<std::uint8_t> outside_;  // a strip of the padding value
  std::vector<std::uint8_t> strips_;         // [c_i_per_group][kh + kDotRows - 1][strip_length_]
  std::vector<const std::uint8_t*> rows_;    // [c_i_per_group][kh + kDotRows - 1]
  std::vector<std::int32_t> sums_;           // [combine_count][kDotRows][most_columns_]
};

class IntegerExecutor final : public Executor {
 public:
  IntegerExecutor(const ConvProblem& problem, const Kernel& kernel, const DyadicWeights& dyadic)
      : problem_(problem),
        out_(output_shape(problem)),
        may_flatten_(channels_share_kernel(problem, kernel) && problem.input.c <= kMostDotStep),
        scale_(dyadic.scale) {
    const KernelShape& k = kernel.shape;
    for (std::int64_t o = 0; o < k.c_o; ++o)
      kernels_.emplace_back(dyadic.integers.data() + o * k.taps(), k.c_i_per_group, k.kh, k.kw);
  }

  std::int64_t work_items(const Sink&) const override { return out_.n * out_.h; }  // output rows, through the batch

  void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const override {
    const Sink in_units = sink.in_units(1 / scale_);
    run_flat_where_possible(may_flatten_, input, in_units,
                            [&](const ConstTensorRef& picture, std::int64_t pixel, const Sink& to) {
                              Pass(problem_, kernels_, picture.view<std::uint8_t>(), pixel, to, stats).run(share);
                            });
  }

 private:
  const ConvProblem& problem_;
  const Shape out_;
  const bool may_flatten_;
  const double scale_;              // sums are this many times too large, a power of two
  std::vector<DotKernel> kernels_;  // of each sum channel
};

double cost(const ConvProblem& problem, const DyadicWeights& dyadic) {
  // Measured on Zen 5: a dot product of vectors 0.13 ns with VNNI, 0.16 to 0.19 by pairs, 0.4 in plain C++; an output,
  // for its epilogue, 0.22 ns with AVX-512, 0.33 with AVX2 and 0.6 with SSE4.
  const KernelShape& k = problem.kernel;
  const std::int64_t taps = dot_taps(dyadic.integers.data(), k.count());
  const auto groups = static_cast<double>(k.c_i_per_group * k.kh * ((k.kw + taps - 1) / taps));
  const auto lanes = static_cast<double>(float_lanes());
  const double dot = instruction_set() == kAvx3Vnni ? 0.13 : lanes > 1 ? 0.18 : 0.4;
  return static_cast<double>(output_shape(problem).count()) * (groups * dot / lanes + 0.1 + 2 / lanes);
}

Offer consider(const ConvProblem& problem, const Kernel& kernel) {
  if (problem.input_dtype != DType::u8) return refuse("it supports only 8-bit pictures");
  if (problem.stride != Extent{} || problem.dilation != Extent{})
    return refuse("it supports only stride 1 and dilation 1");
  if (problem.padding_value < 0 || problem.padding_value > 255 ||
      problem.padding_value != std::trunc(problem.padding_value))
    return refuse("the padding value is not a whole number from 0 to 255");
  const std::int64_t least_strip = strip_length(problem.kernel, kLeastColumns, kMostDotStep);
  if (static_cast<double>(window_rows(problem.kernel)) * static_cast<double>(least_strip) > kMostMemory)
    return refuse(kBeyondMemory);
  std::optional<DyadicWeights> dyadic = dyadic_weights(kernel);
  if (!dyadic) return refuse("the weights are neither 16-bit integers nor such integers over a power of two");
  if (255 * dyadic->largest_sum >= 0x1p31) return refuse("the sums of these integers need more than 32 bits");
  const double nanoseconds = cost(problem, *dyadic);
  // Strips, one of which is for rows outside, and 32-bit sums.
  const double strips = std::max(static_cast<double>(kStripBytes),
                                 static_cast<double>(window_rows(problem.kernel)) * static_cast<double>(least_strip));
  const auto sums = 4 * static_cast<double>(kDotRows * kTileColumns);
  return {.nanoseconds = nanoseconds,
          .thread_memory = 2 * strips + sums,
          .sum_memory = sums,
          .make = [&problem, &kernel, weights = std::make_shared<const DyadicWeights>(*std::move(dyadic))] {
            return std::make_unique<IntegerExecutor>(problem, kernel, *weights);
          }};
}

}  // namespace

const Algorithm kInteger = {.name = "integer", .threaded = true, .can_choose = true, .consider = consider};

}  // namespace convtool
