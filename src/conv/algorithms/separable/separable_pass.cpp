#include "conv/algorithms/separable/separable_pass.h"

#include <algorithm>
#include <cmath>

#include "conv/algorithms/separable/passes.h"
#include "conv/engine/limits.h"
#include "conv/engine/simd.h"
#include "core/aligned.h"

namespace convtool {
namespace {

/// The least number of equal weights for which the box passes are used. (Counted in loads, not measured.)
constexpr std::int64_t kLeastBox = 12;

/// The share of the second-level cache for the input rows that a block sees. The rest is for the sums of its columns.
constexpr std::int64_t kInputBytes = kCacheBytes * 3 / 4;

/// Columns of a tile: eight rows of them stay in the second-level cache until they are finished. (On a Zen 5, 4096 took
/// 0.7 to 0.9 times as long as 512, although eight rows of 512 stay in the first-level cache.)
constexpr std::int64_t kTileColumns = 4096;

std::int64_t round_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

template <class T>
std::int64_t largest_rank(const std::vector<Factors<T>>& factors) {
  std::int64_t rank = 0;
  for (const Factors<T>& of_one : factors) rank = std::max(rank, of_one.terms);
  return rank;
}

/// Whether pixels of type In can have this value.
template <class In>
bool is_pixel(float value) {
  if constexpr (std::is_same_v<In, float>) return true;
  return value >= 0 && value <= full_range(dtype_of<In>()) && value == std::trunc(value);
}

/// One thread's share of a run, on the picture as it is or on its flat view with `pixel` columns per pixel. Sums are
/// of type T.
template <class T, class In>
class Pass {
 public:
  Pass(const ConvProblem& problem, const Kernel& kernel, const std::vector<Factors<T>>& factors,
       const SeparableTiling& tiling, const TensorView<const In>& input, std::int64_t pixel, const Sink& sink,
       ResponseStats& stats)
      : problem_(problem),
        kernel_(kernel),
        factors_(factors),
        tiling_(tiling),
        x_(input),
        pixel_(pixel),
        out_(output_shape(problem)),
        left_(problem.pads.left * pixel),
        sink_(sink),
        stats_(stats),
        rank_(largest_rank(factors)),
        pitch_(round_up(tiling.tile_sees(problem) * pixel + kRowSlack, kLine)),
        sum_pitch_(round_up(tiling.tile * pixel + kRowSlack, kLine)),
        reads_in_place_(input.strides.w == 1 && is_pixel<In>(problem.padding_value)),
        outside_(static_cast<std::size_t>(reads_in_place_ ? input.shape.w : 0),
                 static_cast<In>(reads_in_place_ ? problem.padding_value : 0)),
        in_place_(static_cast<std::size_t>(problem.kernel.kh + tiling.block - 1)),
        copied_(in_place_.size()),
        copies_(in_place_.size() * static_cast<std::size_t>(pitch_)),
        columns_(static_cast<std::size_t>(sink.combine_count() * rank_ * tiling.block * pitch_)),
        work_(static_cast<std::size_t>(pitch_)),
        unstrided_(static_cast<std::size_t>(pitch_)),
        sums_(static_cast<std::size_t>(sink.combine_count() * sum_pitch_)) {}

  void run(WorkShare& share) {
    const std::int64_t blocks = (out_.h - 1) / tiling_.block + 1, slices = (out_.w - 1) / tiling_.slice + 1;
    for (Range block_of_share; !(block_of_share = share.take()).is_empty();) {
      const std::int64_t at = block_of_share.begin, i = at % blocks * tiling_.block,
                         left = at / blocks % slices * tiling_.slice;
      const Block block{.n = at / blocks / slices, .i = i, .rows = std::min(tiling_.block, out_.h - i)};
      for (std::int64_t c = 0; c < sink_.output_channels(); ++c)
        make_rows(block, c, left * pixel_, std::min(left + tiling_.slice, out_.w) * pixel_);
    }
  }

 private:
  /// Output rows [i, i + rows) of batch item n.
  struct Block {
    std::int64_t n, i, rows;
  };

  const Factors<T>& factors(std::int64_t o) const {
    return factors_[factors_.size() == 1 ? 0 : static_cast<std::size_t>(o)];
  }

  /// The input channel of sum channel `o`; the flat view has only one.
  std::int64_t input_channel(std::int64_t o) const {
    return x_.shape.c == 1 ? 0 : o / (kernel_.shape.c_o / problem_.groups);
  }

  /// The picture row that tap u of output row i sees, or kOutside.
  std::int64_t input_row(std::int64_t i, std::int64_t u) const {
    return pad_index(problem_.padding_mode, i * problem_.stride.h - problem_.pads.top + u * problem_.dilation.h,
                     problem_.input.h);
  }

  /// The picture column at column `at` of the padded picture, or kOutside.
  std::int64_t input_column(std::int64_t at) const {
    return pad_column(problem_.padding_mode, at - problem_.pads.left * pixel_, problem_.input.w * pixel_, pixel_);
  }

  /// Computes output columns [begin, end) of a block of output channel `c`, tile by tile.
  void make_rows(const Block& block, std::int64_t c, std::int64_t begin, std::int64_t end) {
    const std::int64_t joined = sink_.combine_count();
    Range before;
    for (std::int64_t x = begin; x < end; x += tiling_.tile * pixel_) {
      const std::int64_t count = std::min(tiling_.tile * pixel_, end - x), first = x * problem_.stride.w;
      const std::int64_t pixels = (count / pixel_ - 1) * problem_.stride.w + window_width(problem_);
      const Range seen{first, first + pixels * pixel_};
      for (std::int64_t k = 0; k < joined; ++k) sum_columns(block, c * joined + k, k, seen, before);
      for (std::int64_t r = 0; r < block.rows; ++r) finish_row(block, c, r, x, count);
      before = seen;
    }
  }

  /// Runs the row pass for outputs [x, x + count) of row `r` of a block, and finishes them.
  void finish_row(const Block& block, std::int64_t c, std::int64_t r, std::int64_t x, std::int64_t count) {
    const RowSpan span{.n = block.n, .y = block.i + r, .x = x, .count = count};
    T* sums = sums_.data();
    if constexpr (std::is_same_v<T, float>) {
      // Sums go straight to the output where they fill whole vectors, so that nothing is written past them.
      float* place = sink_.strides().w == 1 && count % float_lanes() == 0 ? sink_.place_of(span, c) : nullptr;
      if (place != nullptr) sums = place;
    }
    for (std::int64_t j = 0; j < sink_.combine_count(); ++j) {
      const std::int64_t o = c * sink_.combine_count() + j;
      sum_row(factors(o), j, r, count, sums + j * sum_pitch_);
      if constexpr (std::is_same_v<T, double> && std::is_same_v<In, float>)
        mend(block, r, span, o, sums + j * sum_pitch_);
    }
    sink_.finish<T>(span, c, sums, sum_pitch_, stats_);
  }

  /// The column sums of term `k` of the j-th combined sum: [row of the block][column].
  T* columns_of(std::int64_t j, std::int64_t k) { return columns_.data() + (j * rank_ + k) * tiling_.block * pitch_; }

  /// Runs the column pass for columns `seen` of the padded picture, reusing those of the previous tile, `before`.
  void sum_columns(const Block& block, std::int64_t o, std::int64_t j, const Range& seen, const Range& before) {
    const std::int64_t known = std::clamp(before.end, seen.begin, seen.end);
    const std::int64_t begin = std::clamp(left_, known, seen.end),
                       end = std::clamp(left_ + x_.shape.w, begin, seen.end);
    const std::int64_t taps = kernel_.shape.kh, row_count = taps + block.rows - 1;
    const bool in_place = reads_in_place_ && end - begin >= kLeastColumns;
    if (begin < end) show_rows(block, input_channel(o), {begin - left_, end - left_}, in_place);
    for (std::int64_t k = 0; k < factors(o).terms; ++k) {
      const T* weights = factors(o).columns.data() + k * taps;
      T* columns = columns_of(j, k);
      for (std::int64_t r = 0; r < block.rows; ++r)
        std::copy_n(columns + r * pitch_ + (seen.begin - before.begin), known - seen.begin, columns + r * pitch_);
      T* made = columns + (begin - seen.begin);
      if (begin < end && in_place)
        pass_columns<In>({in_place_.data(), weights, taps, row_count}, factors(o), made, end - begin);
      else if (begin < end)
        pass_columns<T>({copied_.data(), weights, taps, row_count}, factors(o), made,
                        std::max(end - begin, kLeastColumns));
      for (std::int64_t at = known; at < seen.end; ++at)
        if (at < begin || at >= end) border_column(block, o, weights, at, seen, columns);
    }
  }

  template <class Row>
  void pass_columns(const Columns<T, Row>& columns, const Factors<T>& factors, T* sums, std::int64_t width) const {
    if constexpr (std::is_same_v<T, float> && std::is_same_v<Row, float>)
      if (factors.box_column) return box_column_pass(columns, sums, pitch_, width);
    column_pass(columns, sums, pitch_, width);
  }

  /// Points in_place_, or copied_ after a conversion, at columns `columns` of the picture rows that a block sees.
  void show_rows(const Block& block, std::int64_t c, const Range& columns, bool in_place) {
    for (std::int64_t t = 0; t < kernel_.shape.kh + block.rows - 1; ++t) {
      const std::int64_t y = input_row(block.i, t), count = columns.end - columns.begin;
      const In* row = y == kOutside ? nullptr : x_.row(block.n, c, y) + columns.begin * x_.strides.w;
      if (in_place) {
        in_place_[static_cast<std::size_t>(t)] = row == nullptr ? outside_.data() : row;
        continue;
      }
      T* copy = copies_.data() + t * pitch_;
      for (std::int64_t x = 0; x < count; ++x)
        copy[x] = static_cast<T>(row == nullptr ? problem_.padding_value : static_cast<float>(row[x * x_.strides.w]));
      copied_[static_cast<std::size_t>(t)] = copy;
    }
  }

  /// Writes the sums of column `at` of the padded picture, which lies outside the picture.
  void border_column(const Block& block, std::int64_t o, const T* weights, std::int64_t at, const Range& seen,
                     T* columns) const {
    const std::int64_t column = input_column(at), there = column + left_;
    const bool is_there = column != kOutside && there >= seen.begin && there < seen.end;
    for (std::int64_t r = 0; r < block.rows; ++r) {
      T* row = columns + r * pitch_ - seen.begin;
      row[at] = is_there ? row[there] : column_sum(block, o, weights, r, column);
    }
  }

  /// The sum of one column, for row `r` of a block.
  T column_sum(const Block& block, std::int64_t o, const T* weights, std::int64_t r, std::int64_t column) const {
    T sum = 0;
    for (std::int64_t u = 0; u < kernel_.shape.kh; ++u) {
      const std::int64_t y = input_row(block.i + r, u);
      const bool outside = column == kOutside || y == kOutside;
      sum += weights[u] * static_cast<T>(outside ? problem_.padding_value
                                                 : static_cast<float>(x_.at(block.n, input_channel(o), y, column)));
    }
    return sum;
  }

  /// Runs the row pass of all terms for `count` outputs of row `r` of a block. With a stride it also computes the
  /// outputs in between, and drops them.
  void sum_row(const Factors<T>& factors, std::int64_t j, std::int64_t r, std::int64_t count, T* sums) {
    const std::int64_t stride = problem_.stride.w, pixels = count / pixel_;
    const std::int64_t width = ((pixels - 1) * stride + 1) * pixel_;
    T* to = stride == 1 ? sums : unstrided_.data();
    for (std::int64_t k = 0; k < factors.terms; ++k) pass_row(factors, k, columns_of(j, k) + r * pitch_, width, to);
    for (std::int64_t p = 0; stride > 1 && p < pixels; ++p)
      std::copy_n(to + p * stride * pixel_, pixel_, sums + p * pixel_);
  }

  void pass_row(const Factors<T>& factors, std::int64_t k, const T* columns, std::int64_t width, T* sums) {
    const std::int64_t taps = kernel_.shape.kw, distance = problem_.dilation.w * pixel_;
    if constexpr (std::is_same_v<T, float>)
      if (factors.box_row) return box_row_pass(columns, factors.rows[0], taps, distance, work_.data(), sums, width);
    row_pass(columns, factors.rows.data() + k * taps, taps, distance, k > 0, sums, width);
  }

  /// Computes sums that are not finite again, by the definition: products that cancel turn one infinity into two of
  /// opposite signs.
  void mend(const Block& block, std::int64_t r, const RowSpan& span, std::int64_t o, double* sums) const {
    for (std::int64_t at = 0; at < span.count; ++at)
      if (!std::isfinite(sums[at])) sums[at] = sum_by_definition(block, r, span.x + at, o);
  }

  double sum_by_definition(const Block& block, std::int64_t r, std::int64_t x, std::int64_t o) const {
    const KernelShape& k = kernel_.shape;
    const float* weight = kernel_.taps(o, 0);
    double sum = 0;
    for (std::int64_t u = 0; u < k.kh; ++u) {
      const std::int64_t y = input_row(block.i + r, u);
      for (std::int64_t v = 0; v < k.kw; ++v) {
        const std::int64_t pixel = x / pixel_ * problem_.stride.w + v * problem_.dilation.w;
        const std::int64_t column = input_column(pixel * pixel_ + x % pixel_);
        const bool outside = y == kOutside || column == kOutside;
        sum += static_cast<double>(*weight++) *
               static_cast<double>(outside ? problem_.padding_value
                                           : static_cast<float>(x_.at(block.n, input_channel(o), y, column)));
      }
    }
    return sum;
  }

  static constexpr std::int64_t kLine = 64 / sizeof(T);

  const ConvProblem& problem_;
  const Kernel& kernel_;
  const std::vector<Factors<T>>& factors_;
  const SeparableTiling tiling_;
  const TensorView<const In> x_;
  const std::int64_t pixel_;
  const Shape out_;
  const std::int64_t left_;  // the first column of the picture in the padded picture
  const Sink& sink_;
  ResponseStats& stats_;
  const std::int64_t rank_, pitch_, sum_pitch_;
  const bool reads_in_place_;
  const std::vector<In> outside_;      // a row of the padding value
  std::vector<const In*> in_place_;    // the rows that a block sees, in the picture
  std::vector<const T*> copied_;       // or in copies_
  AlignedVector<T> copies_;            // converted rows
  AlignedVector<T> columns_;           // [combined sum][term][row of the block][column]
  AlignedVector<T> work_, unstrided_;  // rows of the row pass
  AlignedVector<T> sums_;              // [combined sum][column]
};

}  // namespace

template <class T>
Factors<T>::Factors(const std::vector<OuterProduct>& products) : terms(static_cast<std::int64_t>(products.size())) {
  for (const OuterProduct& product : products) {
    for (const double weight : product.row) rows.push_back(static_cast<T>(weight));
    for (const double weight : product.column) columns.push_back(static_cast<T>(weight));
  }
  if constexpr (std::is_same_v<T, float>) {
    const auto same = [](const std::vector<float>& weights) {
      return std::count(weights.begin(), weights.end(), weights[0]) == std::ssize(weights);
    };
    box_row = std::ssize(rows) >= kLeastBox && same(rows);
    box_column = std::ssize(columns) >= kLeastBox && same(columns);
  }
}

SeparableTiling::SeparableTiling(const ConvProblem& problem, std::int64_t channels) {
  const std::int64_t width = output_shape(problem).w, stride = problem.stride.w;
  block = problem.stride.h == 1 && problem.dilation.h == 1 ? kColumnPassRows : 1;
  const std::int64_t pixel_bytes = stride * channels * static_cast<std::int64_t>(size_of(problem.input_dtype));
  const std::int64_t fit = kInputBytes / (pixel_bytes * (problem.kernel.kh + block - 1));
  // Columns that two slices see are summed twice.
  const std::int64_t slices = (width - 1) / std::max({fit, kTileColumns, 4 * window_width(problem) / stride}) + 1;
  slice = (width - 1) / slices + 1;
  tile = std::clamp<std::int64_t>(kTileColumns / channels / stride, 1, slice);
}

std::int64_t SeparableTiling::tile_sees(const ConvProblem& problem) const {
  return (tile - 1) * problem.stride.w + window_width(problem);
}

template <class T>
void run_passes(const ConvProblem& problem, const Kernel& kernel, const std::vector<Factors<T>>& factors,
                const SeparableTiling& tiling, const ConstTensorRef& input, std::int64_t pixel, const Sink& sink,
                WorkShare& share, ResponseStats& stats) {
  visit_dtype(input.dtype, [&]<class In>(In) {
    Pass<T, In>(problem, kernel, factors, tiling, input.view<In>(), pixel, sink, stats).run(share);
  });
}

template struct Factors<float>;
template struct Factors<double>;
template void run_passes<float>(const ConvProblem&, const Kernel&, const std::vector<Factors<float>>&,
                                const SeparableTiling&, const ConstTensorRef&, std::int64_t, const Sink&, WorkShare&,
                                ResponseStats&);
template void run_passes<double>(const ConvProblem&, const Kernel&, const std::vector<Factors<double>>&,
                                 const SeparableTiling&, const ConstTensorRef&, std::int64_t, const Sink&, WorkShare&,
                                 ResponseStats&);

}  // namespace convtool
