// integer: u8 pictures and whole weights, by exact dot products in 32-bit integers.
//
// A byte times an 8-bit or 16-bit weight needs no float: processors multiply two or four neighbouring pixels by as many
// weights and add them within a 32-bit lane, in one instruction (dot.h). So a tap costs a quarter or half of what a
// float tap does, no row is converted, and a byte is a byte to move: 3x3 and 5x5 run near the speed of memory.
//
// Work goes by blocks of kDotRows output rows, and in them by tiles of about kTileColumns columns, so that the sums of
// a tile stay in the first-level cache until the sink has taken them:
//
//     row of the picture |<- strip ->|<- in place ->|<- in place ->|<- strip ->|
//
// Interior tiles read the picture where it lies. At its left and right edge, and where pixels do not lie side by side,
// the rows of a tile are copied to strips with the border columns beside them. Rows above and below the picture are
// pointers: to the row that padding.h names, or to a strip of the padding value.
//
// An interleaved picture whose channels all have the same weights is one channel, flat: rows of width times channels
// bytes, where a tap's neighbour is `channels` bytes further. (OpenCV's filter2D sees it so, too.)
//
// Applies to u8 with stride and dilation 1 and a padding value that is a byte, when the weights are integers of 16
// bits, or such integers times one power of two 2^-n (the 1/16 of a binomial kernel); and while 255 * sum|w| < 2^31 for
// those integers, so that no partial sum in any order overflows. Every sum is exact, hence the same on every
// instruction set and for any split of the work. Sums scaled by 2^-n are given to the sink as float where they have at
// most 24 bits, else as double: both exact.

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "conv/algorithm.h"
#include "conv/dot.h"
#include "conv/dyadic.h"
#include "conv/padding.h"
#include "conv/simd.h"

namespace convtool {
namespace {

/// The most columns of a tile. A multiple of kDotColumns.
constexpr std::int64_t kTileColumns = 1024;

/// What the strips of a tile may take: the first if tiles need not be narrower than kLeastTile for it, the second ever.
constexpr std::int64_t kStripBytes = std::int64_t{256} << 10, kMostStripBytes = std::int64_t{16} << 20;
constexpr std::int64_t kLeastTile = 2 * kDotColumns;

/// How many input rows a tile sees, of all channels.
std::int64_t window_rows(const KernelShape& k) { return k.c_i_per_group * (k.kh + kDotRows - 1); }

/// Bytes that a strip takes for a tile of this many columns: kernel, groups filled up, and what is read past the end.
std::int64_t strip_length(const KernelShape& k, std::int64_t columns, std::int64_t step) {
  return columns + (k.kw + 4) * step + 2 * kDotColumns;
}

/// The columns of a full tile: a multiple of kDotColumns in pixels, so in bytes as well.
std::int64_t tile_pixels(const KernelShape& k, std::int64_t step) {
  const std::int64_t affordable = kStripBytes / window_rows(k) - strip_length(k, 0, step);
  const std::int64_t columns = std::clamp(affordable, kLeastTile, kTileColumns);
  return std::max(columns / step / kDotColumns, std::int64_t{1}) * kDotColumns;
}

/// What all passes of an executor share.
struct Prepared {
  Prepared(const ConvProblem& the_problem, const Kernel& kernel)
      : problem(the_problem), out(output_shape(problem)), sums_per_group(kernel.shape.c_o / problem.groups) {
    const KernelShape& k = kernel.shape;
    const DyadicWeights dyadic = *dyadic_weights(kernel);
    scale = dyadic.scale;
    float_holds_sums = 255 * dyadic.largest_sum < 0x1p24;
    for (std::int64_t o = 0; o < k.c_o; ++o)
      kernels.emplace_back(dyadic.integers.data() + o * k.taps(), k.c_i_per_group, k.kh, k.kw);
    groups_alike = k.c_i_per_group == 1;
    for (auto group = kernel.weights.begin(); groups_alike && group != kernel.weights.end();
         group += sums_per_group * k.taps())
      groups_alike = std::equal(group, group + sums_per_group * k.taps(), kernel.weights.begin());
  }

  const ConvProblem& problem;
  const Shape out;
  const std::int64_t sums_per_group;
  std::vector<DotKernel> kernels;  // of each sum channel
  double scale;                    // what sums are to be divided by, a power of two
  bool float_holds_sums;
  bool groups_alike;  // each group has one channel, and all have the same weights
};

/// Output rows [y, y + rows) of batch item n, columns [x, x + columns).
struct Tile {
  std::int64_t n, y, rows, x, columns;
  bool in_place;  // all that dot_rows() reads for it lies within the picture's rows
};

/// One thread's share of a run.
class Pass {
 public:
  Pass(const Prepared& prepared, const TensorView<const std::uint8_t>& input, const Sink& sink, ResponseStats& stats)
      : p_(prepared),
        k_(prepared.problem.kernel),
        input_(input),
        sink_(sink),
        stats_(stats),
        flat_(prepared.groups_alike && input.shape.c > 1 && input.shape.c <= kMostDotStep &&
              input.strides.w == input.shape.c && std::abs(input.strides.c) == 1 &&
              prepared.sums_per_group % sink.combine_count() == 0),
        step_(flat_ ? input.shape.c : 1),
        contiguous_(flat_ || input.strides.w == 1),
        tile_pixels_(tile_pixels(k_, step_)),
        strip_length_(strip_length(k_, tile_pixels_ * step_, step_)),
        outside_(static_cast<std::size_t>(strip_length_), static_cast<std::uint8_t>(prepared.problem.padding_value)),
        strips_(static_cast<std::size_t>(window_rows(k_) * strip_length_)),
        rows_(static_cast<std::size_t>(window_rows(k_)), outside_.data()),
        pitch_(kDotRows * tile_pixels_ * step_),
        sums_(static_cast<std::size_t>(sink.combine_count() * pitch_ + kRowSlack)),
        row_(static_cast<std::size_t>(flat_ ? sink.combine_count() * tile_pixels_ + kRowSlack : 0)) {}

  /// Output rows [begin, end) through the batch.
  void run(std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t n = begin / p_.out.h, y = begin % p_.out.h;
      const std::int64_t rows = std::min({kDotRows, p_.out.h - y, end - begin});
      for (Tile tile = tile_at(n, y, rows, 0); tile.columns > 0; tile = tile_at(n, y, rows, tile.x + tile.columns))
        run_tile(tile);
      begin += rows;
    }
  }

 private:
  /// The tile that begins at column x; empty at the end of the row.
  Tile tile_at(std::int64_t n, std::int64_t y, std::int64_t rows, std::int64_t x) const {
    const std::int64_t left = p_.problem.pads.left;
    // Where tiles must end to read no byte past a row of the picture.
    const std::int64_t inside_end = left + (input_.shape.w * step_ - strip_length(k_, 0, step_)) / step_;
    std::int64_t columns = std::min(tile_pixels_, p_.out.w - x);
    const bool in_place = contiguous_ && x >= left && x + kLeastTile <= inside_end;
    if (in_place) columns = std::min(columns, inside_end - x);
    if (contiguous_ && x < left) columns = std::min(columns, (left - x + kDotColumns - 1) / kDotColumns * kDotColumns);
    return {.n = n, .y = y, .rows = rows, .x = x, .columns = columns, .in_place = in_place};
  }

  void run_tile(const Tile& tile) {
    const std::int64_t joined = sink_.combine_count();
    const std::int64_t channels = flat_ ? p_.sums_per_group / joined : sink_.output_channels();
    std::int64_t group = -1;
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t j = 0; j < joined; ++j) {
        const std::int64_t o = c * joined + j;
        if (group != o / p_.sums_per_group) {
          group = o / p_.sums_per_group;
          show_rows(tile, group);
        }
        dot_rows(p_.kernels[static_cast<std::size_t>(o)], step_, rows_.data(), tile.columns * step_,
                 sums_.data() + j * pitch_, tile_pixels_ * step_);
      }
      for (std::int64_t row = 0; row < tile.rows; ++row) {
        const Stretch stretch{.n = tile.n, .y = tile.y + row, .x = tile.x, .count = tile.columns};
        const std::int32_t* sums = sums_.data() + row * tile_pixels_ * step_;
        if (flat_) {
          finish_flat(stretch, c, channels, sums);
        } else {
          finish(stretch, c, sums, pitch_);
        }
      }
    }
  }

  /// Sets rows_ to what the tile sees of a group's channels.
  void show_rows(const Tile& tile, std::int64_t group) {
    const std::int64_t seen = k_.kh + kDotRows - 1;
    for (std::int64_t c = 0; c < k_.c_i_per_group; ++c) {
      const std::int64_t channel = group * k_.c_i_per_group + c;
      for (std::int64_t u = 0; u < k_.kh + tile.rows - 1; ++u) {  // of the rest, no sums are taken
        const std::int64_t y = pad_index(p_.problem.padding_mode, tile.y - p_.problem.pads.top + u, input_.shape.h);
        const std::uint8_t*& row = rows_[static_cast<std::size_t>(c * seen + u)];
        std::uint8_t* strip = strips_.data() + (c * seen + u) * strip_length_;
        if (y == kOutside) {
          row = outside_.data();
        } else if (tile.in_place) {
          row = picture_row(tile.n, channel, y) + (tile.x - p_.problem.pads.left) * step_;
        } else {
          fill_strip(picture_row(tile.n, channel, y), tile, strip);
          row = strip;
        }
      }
    }
  }

  /// The first byte in memory of a row: that of channel 0, or of the last one where channels are reversed.
  const std::uint8_t* picture_row(std::int64_t n, std::int64_t channel, std::int64_t y) const {
    return input_.row(n, flat_ && input_.strides.c < 0 ? input_.shape.c - 1 : channel, y);
  }

  /// Copies the pixels of `row` that the tile sees, with border columns by the padding's rule.
  void fill_strip(const std::uint8_t* row, const Tile& tile, std::uint8_t* strip) const {
    const std::int64_t first = tile.x - p_.problem.pads.left, end = first + tile.columns + k_.kw - 1;
    const std::int64_t inside = std::clamp<std::int64_t>(0, first, end);
    const std::int64_t inside_end = std::clamp<std::int64_t>(input_.shape.w, inside, end);
    const auto fill_border = [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t at = from; at < to; ++at) {
        const std::int64_t column = pad_index(p_.problem.padding_mode, at, input_.shape.w);
        const std::uint8_t* pixel = column == kOutside ? outside_.data() : row + column * input_.strides.w;
        std::copy(pixel, pixel + step_, strip + (at - first) * step_);
      }
    };
    fill_border(first, inside);
    if (contiguous_) {
      std::copy(row + inside * step_, row + inside_end * step_, strip + (inside - first) * step_);
    } else {
      for (std::int64_t at = inside; at < inside_end; ++at) strip[at - first] = row[at * input_.strides.w];
    }
    fill_border(inside_end, end);
  }

  /// Hands over a stretch of every channel of a flat picture; `c` and `channels` count the outputs of each group.
  void finish_flat(const Stretch& stretch, std::int64_t c, std::int64_t channels, const std::int32_t* sums) {
    for (std::int64_t group = 0; group < step_; ++group) {
      const std::int64_t place = input_.strides.c < 0 ? step_ - 1 - group : group;
      for (std::int64_t j = 0; j < sink_.combine_count(); ++j) {
        std::int32_t* to = row_.data() + j * tile_pixels_;
        for (std::int64_t x = 0; x < stretch.count; ++x) to[x] = sums[j * pitch_ + x * step_ + place];
      }
      finish(stretch, group * channels + c, row_.data(), tile_pixels_);
    }
  }

  void finish(const Stretch& stretch, std::int64_t c, const std::int32_t* sums, std::int64_t pitch) {
    if (p_.scale == 1) return sink_.finish(stretch, c, sums, pitch, stats_);
    if (p_.float_holds_sums) return finish_scaled(floats_, stretch, c, sums, pitch);
    return finish_scaled(doubles_, stretch, c, sums, pitch);
  }

  template <class Sum>
  void finish_scaled(std::vector<Sum>& scaled, const Stretch& stretch, std::int64_t c, const std::int32_t* sums,
                     std::int64_t pitch) {
    scaled.resize(static_cast<std::size_t>(sink_.combine_count() * tile_pixels_ * step_ + kRowSlack));
    const Sum factor = static_cast<Sum>(1 / p_.scale);
    for (std::int64_t j = 0; j < sink_.combine_count(); ++j) {
      for (std::int64_t x = 0; x < stretch.count; ++x)
        scaled[static_cast<std::size_t>(j * stretch.count + x)] = static_cast<Sum>(sums[j * pitch + x]) * factor;
    }
    sink_.finish(stretch, c, scaled.data(), stretch.count, stats_);
  }

  const Prepared& p_;
  const KernelShape& k_;
  const TensorView<const std::uint8_t>& input_;
  const Sink& sink_;
  ResponseStats& stats_;
  const bool flat_;          // all channels are filtered as one
  const std::int64_t step_;  // bytes of a pixel then, else 1
  const bool contiguous_;    // a pixel lies beside the next
  const std::int64_t tile_pixels_, strip_length_;
  const std::vector<std::uint8_t> outside_;  // a strip of the padding value
  std::vector<std::uint8_t> strips_;         // [c_i_per_group][kh + kDotRows - 1][strip_length_]
  std::vector<const std::uint8_t*> rows_;    // [c_i_per_group][kh + kDotRows - 1]
  const std::int64_t pitch_;                 // from the sums of a channel to those of the one it is combined with
  std::vector<std::int32_t> sums_;           // [combine_count][kDotRows][tile_pixels_ * step_]
  std::vector<std::int32_t> row_;            // [combine_count][tile_pixels_], of one channel of a flat picture
  std::vector<float> floats_;
  std::vector<double> doubles_;
};

class IntegerExecutor final : public Executor {
 public:
  IntegerExecutor(const ConvProblem& problem, const Kernel& kernel) : prepared_(problem, kernel) {}

  std::int64_t pieces(const Sink&) const override { return prepared_.out.n * prepared_.out.h; }  // output rows

  void run(const ConstTensorRef& input, const Sink& sink, std::int64_t begin, std::int64_t end,
           ResponseStats& stats) const override {
    const auto view = input.view<std::uint8_t>();
    Pass(prepared_, view, sink, stats).run(begin, end);
  }

 private:
  const Prepared prepared_;
};

std::string refusal(const ConvProblem& problem, const Kernel& kernel) {
  if (problem.input_dtype != DType::u8) return "it takes 8-bit pictures only";
  if (problem.stride != Extent{} || problem.dilation != Extent{}) return "it takes no stride or dilation";
  if (problem.padding_value < 0 || problem.padding_value > 255 ||
      problem.padding_value != std::trunc(problem.padding_value))
    return "the padding value is not a whole number from 0 to 255";
  if (static_cast<double>(window_rows(problem.kernel)) *
          static_cast<double>(strip_length(problem.kernel, kLeastTile, 1)) >
      kMostStripBytes)
    return "its strips of rows would take more than 16 MiB a thread";
  const std::optional<DyadicWeights> dyadic = dyadic_weights(kernel);
  if (!dyadic) return "the weights are not integers of 16 bits, or such integers over a power of two";
  if (255 * dyadic->largest_sum >= 0x1p31) return "the sums of these integers need more than 32 bits";
  return "";
}

}  // namespace

const Algorithm kInteger = {
    .name = "integer",
    .threaded = true,
    .can_choose = true,
    .refusal = refusal,
    .cost = [](const ConvProblem& problem, const Kernel&) { return 0.02 * mac_count(problem); },
    .prepare = [](const ConvProblem& problem, const Kernel& kernel) -> std::unique_ptr<Executor> {
      return std::make_unique<IntegerExecutor>(problem, kernel);
    },
};

}  // namespace convtool
