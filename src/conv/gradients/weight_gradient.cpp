// Rows of input meet all rows of dy that see them: row y of the padded input and row i of dy meet where y = i*stride +
// u*dilation for some kernel row u. So
//
//   left     for each input channel and kernel column v: row y, from column v * dilation on
//   right    for each kernel row u with such an i, and each output channel: row i of dy
//   sums     left times right, which are the taps (c, v, u) of output channel o
//
// and a register tile of several lists on either side (row_products.h) multiplies each loaded vector several times,
// even for one input and one output channel.
//
// Where output channels fill vectors, pixels are multiplied instead (pixel_products.h): the pixel that a tap of row y
// sees, times all outputs of a pixel of row i, which are interleaved first. This leaves no vector partly empty at the
// end of short rows, and needs no sums across the lanes of a vector.
//
// Rows y with the same remainder modulo the stride have the same kernel rows. Such rows are taken together, and kernel
// rows are sorted by that remainder, so that their sums are contiguous.

#include "conv/gradients/weight_gradient.h"

#include <algorithm>

#include "conv/engine/simd.h"
#include "conv/gradients/pixel_products.h"
#include "conv/gradients/row_products.h"
#include "conv/input/strips.h"
#include "core/aligned.h"
#include "core/parallel.h"

namespace convtool {
namespace {

/// The most columns of a block. Shorter rows are read whole, which suits memory best.
constexpr std::int64_t kMostColumns = 4096;
/// The most positions of a block of several rows: enough that the sums of a tile are rarely stored.
constexpr std::int64_t kBlock = 1024;
/// The most columns of a block of pixels, and the most pixels that all taps meet in turn. With 64 outputs each, as many
/// as fit in the registers of AVX-512, these pixels stay in a first-level cache of 48 KiB.
constexpr std::int64_t kMostPixels = 176;
/// Larger sums, in bytes, come from memory each time, so blocks are larger to visit them less often.
constexpr std::int64_t kLargeSums = 1 << 20;

/// Rows of the padded input with the same remainder modulo the stride, and the kernel rows that they share.
struct Phase {
  std::int64_t remainder = 0;
  std::int64_t rows = 0;             ///< of the padded input, remainder + k * stride for k < rows
  std::vector<std::int64_t> kernel;  ///< ascending
  std::int64_t first_column = 0;     ///< where their sums begin, counted in kernel rows
};

std::vector<Phase> make_phases(const ConvProblem& problem, std::int64_t dy_rows) {
  const std::int64_t stride = problem.stride.h, dilation = problem.dilation.h, kh = problem.kernel.kh;
  const std::int64_t seen = (dy_rows - 1) * stride + (kh - 1) * dilation + 1;
  std::vector<std::int64_t> order(static_cast<std::size_t>(kh));
  for (std::int64_t u = 0; u < kh; ++u) order[static_cast<std::size_t>(u)] = u;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return a * dilation % stride < b * dilation % stride; });
  std::vector<Phase> phases;
  for (std::int64_t at = 0; at < kh; ++at) {
    const std::int64_t u = order[static_cast<std::size_t>(at)], remainder = u * dilation % stride;
    if (phases.empty() || phases.back().remainder != remainder)
      phases.push_back({.remainder = remainder, .rows = (seen - remainder - 1) / stride + 1, .first_column = at});
    phases.back().kernel.push_back(u);
  }
  return phases;
}

/// The sums of one share of the work: weights as [groups][c_i/groups * kw][kh, by phase][outputs], biases as
/// [groups][outputs].
struct Sums {
  std::vector<double> weights, bias;
};

/// The part of the work that all shares have in common.
struct Work {
  ConvProblem problem;
  ConvProblem of_dy;  ///< a problem whose input is dy, surrounded by zeros
  std::vector<Phase> phases;
  std::int64_t outputs = 0;      ///< of a group
  bool by_pixels = false;        ///< with pixel_products.h
  std::int64_t most_pixels = 0;  ///< if so, the pixels that all taps meet in turn
  std::int64_t most_columns = 0, block_width = 0, block_height = 0;
};

/// Whether outputs fill vectors, and meet enough taps to make interleaving them worthwhile.
bool fills_vectors(const ConvProblem& problem) {
  constexpr std::int64_t kLeastTaps = 64;
  const std::int64_t outputs = problem.kernel.c_o / problem.groups, lanes = float_lanes();
  const std::int64_t padded = (outputs + lanes - 1) / lanes * lanes;
  return 4 * outputs >= 3 * padded && problem.kernel.taps() >= kLeastTaps;
}

/// Rows of some channels of dy, interleaved; each is filled in by the caller when it is first needed.
class SideBySide {
 public:
  /// Empties the buffer and prepares it for rows of [lowest, highest], at most `most` of them, each of `width` pixels
  /// of `channels`.
  void begin(std::int64_t lowest, std::int64_t highest, std::int64_t most, std::int64_t width, std::int64_t channels) {
    const std::int64_t lanes = float_lanes();
    lowest_ = lowest;
    width_ = width;
    channels_ = channels;
    pitch_ = (channels + lanes - 1) / lanes * lanes;
    places_.assign(static_cast<std::size_t>(highest - lowest + 1), kNowhere);
    used_ = 0;
    const auto size = static_cast<std::size_t>(std::min(most, highest - lowest + 1) * width_ * pitch_);
    if (floats_.size() < size) floats_.resize(size);
  }

  bool has(std::int64_t i) const { return places_[static_cast<std::size_t>(i - lowest_)] != kNowhere; }
  const float* row(std::int64_t i) const { return floats_.data() + places_[static_cast<std::size_t>(i - lowest_)]; }
  std::int64_t pitch() const { return pitch_; }

  /// Interleaves row `i`, whose channels start at `from`, `step` floats apart.
  void put(std::int64_t i, const float* from, std::int64_t step) {
    places_[static_cast<std::size_t>(i - lowest_)] = used_;
    float* to = floats_.data() + used_;
    for (std::int64_t o = 0; o < channels_; ++o)
      for (std::int64_t x = 0; x < width_; ++x) to[x * pitch_ + o] = from[o * step + x];
    for (std::int64_t o = channels_; o < pitch_; ++o)
      for (std::int64_t x = 0; x < width_; ++x) to[x * pitch_ + o] = 0;
    used_ += width_ * pitch_;
  }

 private:
  static constexpr std::int64_t kNowhere = -1;

  std::int64_t lowest_ = 0, width_ = 0, channels_ = 0, pitch_ = 0, used_ = 0;
  std::vector<std::int64_t> places_;  // of rows from lowest_ on, in floats_
  AlignedVector<float> floats_;
};

/// Adds up products, block by block. Not thread-safe.
class Adder {
 public:
  Adder(const Work& work, const ConstTensorRef& input, const ConstTensorRef& dy)
      : work_(work),
        dy_(dy.view<float>()),
        dy_rows_(dy.shape.h),
        width_(dy.shape.w),
        input_layout_(work.problem, 1, work.block_width),
        dy_layout_(work.of_dy, 1, work.block_width),
        input_strips_(work.problem, input_layout_, input, work.block_height),
        dy_strips_(work.of_dy, dy_layout_, dy, dy_rows_seen(work)),
        ones_(static_cast<std::size_t>(work.block_width + kRowSlack), 1.0F) {}

  /// Adds rows [begin, end) of a phase, counted through the batch.
  void add(const Phase& phase, std::int64_t begin, std::int64_t end, Sums& sums) {
    cut_evenly(width_, work_.most_columns, [&](std::int64_t x, std::int64_t x_end) {
      input_strips_.move_to(x);
      dy_strips_.move_to(x);
      x_ = x;
      for (std::int64_t row = begin; row < end;) {
        const std::int64_t k = row % phase.rows;
        const std::int64_t height = std::min({work_.block_height, phase.rows - k, end - row});
        add_block(phase, row / phase.rows, k, height, x_end - x, sums);
        row += height;
      }
    });
  }

 private:
  /// The most rows of dy that a block meets.
  static std::int64_t dy_rows_seen(const Work& work) {
    const std::int64_t kh = work.problem.kernel.kh;
    const std::int64_t reach = (kh - 1) * work.problem.dilation.h / work.problem.stride.h;
    return std::min(work.block_height * kh, work.block_height + reach);
  }

  struct DyRow {
    const float* floats = nullptr;  ///< of the first channel, from the block's first column on
    std::int64_t channel_step = 0;
  };

  /// Row `i` of dy, or zeros if there is none. It is read in place if its columns are contiguous and kRowSlack floats
  /// of memory follow it; else from a strip.
  DyRow read_dy(std::int64_t n, std::int64_t i) {
    const Strides& steps = dy_.strides;
    const bool slack = steps.w == 1 && steps.h >= width_ && (dy_rows_ - 1 - i) * steps.h >= kRowSlack;
    if (i >= 0 && slack) return {dy_.row(n, 0, i) + x_, steps.c};
    return {dy_strips_.row(n, i), dy_layout_.phase_length};
  }

  /// Adds rows [k, k + height) of a phase of item `n`.
  void add_block(const Phase& phase, std::int64_t n, std::int64_t k, std::int64_t height, std::int64_t width,
                 Sums& sums) {
    const KernelShape& kernel = work_.problem.kernel;
    // The row of dy that kernel row u meets at row `at`; it may not exist.
    const auto dy_row = [&](std::int64_t at, std::int64_t u) {
      return at + (phase.remainder - u * work_.problem.dilation.h) / work_.problem.stride.h;
    };
    const auto is_seen = [&](std::int64_t u) { return dy_row(k + height - 1, u) >= 0 && dy_row(k, u) < dy_rows_; };
    const auto first = std::find_if(phase.kernel.begin(), phase.kernel.end(), is_seen);
    const auto last = std::find_if_not(first, phase.kernel.end(), is_seen);
    if (first == last) return;
    const std::int64_t columns = (last - first) * work_.outputs;

    for (std::int64_t group = 0; group < work_.problem.groups; ++group) {
      left_.clear();
      right_.clear();
      for (std::int64_t r = 0; r < height; ++r) {
        const std::int64_t y = phase.remainder + (k + r) * work_.problem.stride.h - work_.problem.pads.top;
        const float* strip = input_strips_.row(n, y);
        for (std::int64_t c = group * kernel.c_i_per_group; c < (group + 1) * kernel.c_i_per_group; ++c)
          for (std::int64_t v = 0; v < kernel.kw; ++v) {
            const StripPlace place = input_layout_.tap(c, v * work_.problem.dilation.w);
            left_.push_back(strip + place.plane * input_layout_.phase_length + place.column);
          }
        // With pixel products, only the rows that the biases need are read here.
        for (auto u = first; u != (work_.by_pixels ? first + 1 : last); ++u) {
          const DyRow row = read_dy(n, dy_row(k + r, *u));
          for (std::int64_t o = group * work_.outputs; o < (group + 1) * work_.outputs; ++o)
            right_.push_back(row.floats + o * row.channel_step);
        }
      }
      const std::int64_t lefts = kernel.c_i_per_group * kernel.kw, pitch = kernel.kh * work_.outputs;
      const std::int64_t rights = work_.by_pixels ? work_.outputs : columns;
      const RowLists left{left_.data(), lefts, lefts}, right{right_.data(), rights, rights};
      double* to = sums.weights.data() + group * lefts * pitch +
                   (phase.first_column + (first - phase.kernel.begin())) * work_.outputs;
      if (work_.by_pixels) {
        cut_evenly(work_.outputs, most_pixel_outputs(), [&](std::int64_t begin, std::int64_t end) {
          const std::int64_t count = end - begin;
          pixels_.begin(dy_row(k, *(last - 1)), dy_row(k + height - 1, *first), dy_rows_seen(work_), width, count);
          for (auto u = first; u != last; ++u) {
            pixel_rows_.clear();
            for (std::int64_t r = 0; r < height; ++r) {
              const std::int64_t i = dy_row(k + r, *u);
              if (!pixels_.has(i)) {
                const DyRow row = read_dy(n, i);
                pixels_.put(i, row.floats + (group * work_.outputs + begin) * row.channel_step, row.channel_step);
              }
              pixel_rows_.push_back(pixels_.row(i));
            }
            cut_evenly(height, std::max<std::int64_t>(1, work_.most_pixels / width),
                       [&](std::int64_t r, std::int64_t r_end) {
                         const RowLists taps{left_.data() + r * lefts, lefts, lefts};
                         add_pixel_products(taps, {pixel_rows_.data() + r, count, pixels_.pitch()}, r_end - r, width,
                                            to + (u - first) * work_.outputs + begin, pitch);
                       });
          }
        });
      } else {
        add_row_products<float>(left, right, height, width, to, pitch);
      }
      if (*first > 0) continue;  // each row of dy meets kernel row 0 once
      const std::vector<const float*> ones(static_cast<std::size_t>(height), ones_.data());
      add_row_products<float>({ones.data(), 1, 1}, right.part(0, work_.outputs), height, width,
                              sums.bias.data() + group * work_.outputs, work_.outputs);
    }
  }

  const Work& work_;
  const TensorView<const float> dy_;
  const std::int64_t dy_rows_, width_;
  const StripLayout input_layout_, dy_layout_;
  RowStrips input_strips_, dy_strips_;
  const std::vector<float> ones_;
  std::int64_t x_ = 0;  ///< the first column of blocks
  std::vector<const float*> left_, right_;
  SideBySide pixels_;
  std::vector<const float*> pixel_rows_;
};

/// Reorders sums as in nn.Conv2d. A few outputs at a time, so that cache lines are fully used on both sides.
WeightGradient in_order(const Work& work, const Sums& sums) {
  const KernelShape& kernel = work.problem.kernel;
  const std::int64_t window = kernel.kh * kernel.kw, inputs = kernel.c_i_per_group;
  constexpr std::int64_t kOutputs = 8;
  WeightGradient gradient{.weights = std::vector<double>(static_cast<std::size_t>(kernel.count())), .bias = sums.bias};
  for (std::int64_t group = 0; group < work.problem.groups; ++group)
    for (std::int64_t c = 0; c < inputs; ++c)
      for (std::int64_t first = 0; first < work.outputs; first += kOutputs) {
        const std::int64_t end = std::min(work.outputs, first + kOutputs);
        double* to = gradient.weights.data() + ((group * work.outputs + first) * inputs + c) * window;
        for (const Phase& phase : work.phases)
          for (std::int64_t v = 0; v < kernel.kw; ++v) {
            const std::int64_t row = ((group * inputs + c) * kernel.kw + v) * kernel.kh + phase.first_column;
            const double* from = sums.weights.data() + row * work.outputs;
            for (const std::int64_t u : phase.kernel) {
              for (std::int64_t o = first; o < end; ++o)
                to[(o - first) * inputs * window + u * kernel.kw + v] = from[o];
              from += work.outputs;
            }
          }
      }
  return gradient;
}

}  // namespace

WeightGradient weight_gradient(const ConvProblem& problem, const ConstTensorRef& input, const ConstTensorRef& dy,
                               int threads) {
  const Shape out = output_shape(problem);
  require(dy.shape.n == out.n && dy.shape.c == out.c && dy.shape.w == out.w && dy.shape.h <= out.h && dy.shape.h > 0 &&
              input.shape == problem.input,
          "a gradient of tensors that are not the problem's");
  Work work{.problem = problem};
  if (out.w == 1)
    work.problem.stride.w = 1;  // the stride has no effect on one column, and a large one would need large strips
  work.of_dy = {.input = dy.shape, .kernel = {.c_o = 1, .c_i_per_group = dy.shape.c}};
  work.phases = make_phases(problem, dy.shape.h);
  work.outputs = problem.kernel.c_o / problem.groups;
  work.by_pixels = fills_vectors(work.problem);
  const bool sums_are_large = problem.kernel.count() * std::int64_t{sizeof(double)} > kLargeSums;
  work.most_pixels = sums_are_large ? kBlock : kMostPixels;
  work.most_columns = work.by_pixels ? kMostPixels : kMostColumns;
  const std::int64_t across = (out.w + work.most_columns - 1) / work.most_columns;
  work.block_width = (out.w + across - 1) / across;
  work.block_height = std::min(dy.shape.h, std::max<std::int64_t>(1, kBlock / work.block_width));

  // The rows are divided into shares, each with sums of its own. There are at most as many as have enough work and fit
  // in memory, whatever the number of threads.
  constexpr double kMostShares = 64, kLeastPositions = 320, kLeastMacs = 1e6, kMostDoubles = 0x1p23;
  const double positions = static_cast<double>(out.n * dy.shape.h * out.w);
  const double doubles = static_cast<double>(problem.kernel.count());
  const auto count = static_cast<std::int64_t>(std::max(
      1.0,
      std::min({kMostShares, positions / kLeastPositions, mac_count(problem) / kLeastMacs, kMostDoubles / doubles})));
  std::vector<Sums> shares(static_cast<std::size_t>(count));
  parallel_for(count, threads, [&](std::int64_t begin, std::int64_t end) {
    Adder adder(work, input, dy);
    for (std::int64_t share = begin; share < end; ++share) {
      Sums& sums = shares[static_cast<std::size_t>(share)];
      sums.weights.resize(static_cast<std::size_t>(problem.kernel.count()));
      sums.bias.resize(static_cast<std::size_t>(problem.kernel.c_o));
      for (const Phase& phase : work.phases) {
        const std::int64_t rows = out.n * phase.rows;
        adder.add(phase, rows * share / count, rows * (share + 1) / count, sums);
      }
    }
  });
  Sums& total = shares.front();
  for (std::size_t share = 1; share < shares.size(); ++share) {
    for (std::size_t i = 0; i < total.weights.size(); ++i) total.weights[i] += shares[share].weights[i];
    for (std::size_t i = 0; i < total.bias.size(); ++i) total.bias[i] += shares[share].bias[i];
  }
  return in_order(work, total);
}

}  // namespace convtool
