#include "conv/gradients/tap_products.h"

#include <algorithm>

#include "conv/engine/simd.h"
#include "conv/gradients/row_products.h"
#include "conv/input/strips.h"
#include "core/parallel.h"

namespace convtool {
namespace {

/// The most output positions of a block: enough that the sums of a tile are rarely stored, few enough for first-level
/// caches.
constexpr std::int64_t kBlock = 1024;

/// Output rows and columns of one batch item that are processed together.
struct Block {
  std::int64_t n = 0, y = 0, x = 0, height = 0, width = 0;
};

/// Reads the columns of A and of Y at the positions of a block. Not thread-safe.
class BlockReader {
 public:
  BlockReader(const ConvProblem& problem, const ConstTensorRef& input, const ConstTensorRef& values,
              std::int64_t most_height, std::int64_t most_width)
      : problem_(problem),
        values_(values.view<float>()),
        taps_(problem.kernel.taps() + 1),
        outputs_(problem.kernel.c_o / problem.groups),
        layout_(problem, 1, most_width),
        strips_(problem, layout_, input, rows_seen(problem, most_height)),
        ones_(static_cast<std::size_t>(most_width + kRowSlack), 1.0F),
        value_length_(most_width + kRowSlack),
        value_rows_(static_cast<std::size_t>(most_height * outputs_ * value_length_)) {}

  /// From now on blocks begin at column `x`.
  void move_to(std::int64_t x) { strips_.move_to(x); }

  /// Lists of rows: the taps of `group`, the ones, and the outputs. Valid until the next call.
  RowLists read(const Block& block, std::int64_t group) {
    const KernelShape& kernel = problem_.kernel;
    rows_.clear();
    for (std::int64_t i = 0; i < block.height; ++i) {
      const std::int64_t top = (block.y + i) * problem_.stride.h - problem_.pads.top;
      strip_rows_.clear();
      for (std::int64_t u = 0; u < kernel.kh; ++u)
        strip_rows_.push_back(strips_.row(block.n, top + u * problem_.dilation.h));
      for (std::int64_t c = 0; c < kernel.c_i_per_group; ++c)
        for (const float* strip : strip_rows_)
          for (std::int64_t v = 0; v < kernel.kw; ++v) {
            const StripPlace place = layout_.tap(group * kernel.c_i_per_group + c, v * problem_.dilation.w);
            rows_.push_back(strip + place.plane * layout_.phase_length + place.column);
          }
      rows_.push_back(ones_.data());
      for (std::int64_t o = 0; o < outputs_; ++o) rows_.push_back(value_row(block, i, group, o));
    }
    return {.rows = rows_.data(), .count = taps_ + outputs_, .pitch = taps_ + outputs_};
  }

 private:
  /// The most input rows that `height` output rows see.
  static std::int64_t rows_seen(const ConvProblem& problem, std::int64_t height) {
    const std::int64_t reach = dilated_kernel(problem.kernel, problem.dilation).h;
    return std::min(height * problem.kernel.kh, (height - 1) * problem.stride.h + reach);
  }

  /// A copy of a row of values, with the slack that vectors need.
  const float* value_row(const Block& block, std::int64_t i, std::int64_t group, std::int64_t o) {
    float* row = value_rows_.data() + (i * outputs_ + o) * value_length_;
    to_floats(&values_.at(block.n, group * outputs_ + o, block.y + i, block.x), values_.strides.w, block.width, row);
    return row;
  }

  const ConvProblem& problem_;
  const TensorView<const float> values_;
  const std::int64_t taps_, outputs_;
  const StripLayout layout_;
  RowStrips strips_;
  const std::vector<float> ones_;
  const std::int64_t value_length_;
  std::vector<float> value_rows_;
  std::vector<const float*> strip_rows_, rows_;
};

/// Adds up the products of some output rows, counted through the batch.
class RowsAdder {
 public:
  RowsAdder(const ConvProblem& problem, const ConstTensorRef& input, const ConstTensorRef& values)
      : problem_(problem),
        height_(values.shape.h),
        width_(values.shape.w),
        block_width_((width_ + parts() - 1) / parts()),
        block_height_(std::min(height_, std::max<std::int64_t>(1, kBlock / block_width_))),
        reader_(problem, input, values, block_height_, block_width_) {}

  void add(std::int64_t begin, std::int64_t end, TapProducts& products) {
    cut_evenly(width_, kBlock, [&](std::int64_t x, std::int64_t x_end) {
      reader_.move_to(x);
      for (std::int64_t row = begin; row < end;) {
        const std::int64_t y = row % height_;
        const std::int64_t rows = std::min({block_height_, height_ - y, end - row});
        add_block({.n = row / height_, .y = y, .x = x, .height = rows, .width = x_end - x}, products);
        row += rows;
      }
    });
  }

 private:
  /// Blocks across a row.
  std::int64_t parts() const { return (width_ + kBlock - 1) / kBlock; }

  void add_block(const Block& block, TapProducts& products) {
    const std::int64_t taps = products.taps, outputs = products.outputs;
    for (std::int64_t group = 0; group < problem_.groups; ++group) {
      const RowLists all = reader_.read(block, group);
      add_row_products<double>(all.part(0, taps), all.part(taps, taps + outputs), block.height, block.width,
                               products.with_values.data() + group * taps * outputs, outputs);
      constexpr std::int64_t kColumns = 12;  // the sums on and above the diagonal, and a few more
      double* sums = products.with_taps.data() + group * taps * taps;
      for (std::int64_t begin = 0; begin < taps; begin += kColumns) {
        const std::int64_t end = std::min(begin + kColumns, taps);
        add_row_products<double>(all.part(0, end), all.part(begin, end), block.height, block.width, sums + begin, taps);
      }
    }
  }

  const ConvProblem& problem_;
  const std::int64_t height_, width_, block_width_, block_height_;
  BlockReader reader_;
};

void add_to(std::vector<double>& sums, const std::vector<double>& more) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += more[i];
}

/// Copies the sums above the diagonal to those below it.
void mirror(TapProducts& products, std::int64_t groups) {
  const std::int64_t taps = products.taps;
  for (std::int64_t group = 0; group < groups; ++group) {
    double* sums = products.with_taps.data() + group * taps * taps;
    for (std::int64_t a = 0; a < taps; ++a)
      for (std::int64_t b = 0; b < a; ++b) sums[a * taps + b] = sums[b * taps + a];
  }
}

}  // namespace

TapProducts tap_products(const ConvProblem& problem, const ConstTensorRef& input, const ConstTensorRef& values,
                         int threads) {
  const Shape out = output_shape(problem);
  require(values.shape.n == out.n && values.shape.c == out.c && values.shape.w == out.w && values.shape.h <= out.h &&
              values.shape.h > 0 && input.shape == problem.input,
          "tap products of tensors that are not the problem's");
  ConvProblem bounded = problem;
  if (out.w == 1)
    bounded.stride.w = 1;  // the stride has no effect on one column, and a large one would need large strips

  TapProducts empty{.taps = problem.kernel.taps() + 1, .outputs = problem.kernel.c_o / problem.groups};
  empty.with_values.resize(static_cast<std::size_t>(problem.groups * empty.taps * empty.outputs));
  empty.with_taps.resize(static_cast<std::size_t>(problem.groups * empty.taps * empty.taps));

  // The rows are divided into shares with sums of their own, independently of the number of threads. The larger the
  // sums, the fewer the shares.
  constexpr std::int64_t kMostShares = 64, kShareDoubles = std::int64_t{1} << 25;
  const auto doubles = static_cast<std::int64_t>(empty.with_values.size() + empty.with_taps.size());
  const std::int64_t rows = out.n * values.shape.h;
  const std::int64_t count = std::min(rows, std::clamp<std::int64_t>(kShareDoubles / doubles, 2, kMostShares));
  std::vector<TapProducts> shares(static_cast<std::size_t>(count));
  parallel_for(count, threads, [&](std::int64_t begin, std::int64_t end) {
    RowsAdder adder(bounded, input, values);
    for (std::int64_t share = begin; share < end; ++share) {
      TapProducts& sums = shares[static_cast<std::size_t>(share)];
      sums = empty;
      adder.add(rows * share / count, rows * (share + 1) / count, sums);
    }
  });
  TapProducts& total = shares.front();
  for (std::size_t share = 1; share < shares.size(); ++share) {
    add_to(total.with_values, shares[share].with_values);
    add_to(total.with_taps, shares[share].with_taps);
  }
  mirror(total, problem.groups);
  return std::move(total);
}

}  // namespace convtool
