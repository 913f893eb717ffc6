// rows: sums of weighted, shifted float rows, by SIMD.
//
// Every tap is a shifted, contiguous read of a row of floats. Where the picture consists of such rows, they are read in
// place. Elsewhere each input row is converted once into a strip (strips.h), with its border columns filled in, as one
// plane per channel or as one flat row (row_reader.h decides which):
//
//   sums(i)[j]  +=  weight(u, v) * strip(i + u)[v * dilation + j]
//
// Where output rows share strips, four of them are computed at a time. A vector of pixels is loaded once and multiplied
// for each output row that sees it, and the sums of four rows stay in registers while all taps pass (simd.cpp). So
// there is about one load per four multiply-adds, and arithmetic is the limit, not loads. A tap whose row is seen by
// only some of the four has a loop for exactly those: multiplying by an invented weight of 0 would turn infinity into
// NaN.
//
//   output rows of a block      0 1 2 3        strip 0 serves row 0, strip 1 rows 0 and 1, strip 2 rows 0 to 2,
//   kernel row u on strip y     u = y - row    strip 3 rows 1 to 3, ... (3 kernel rows)
//
// With dilation d the kernel sees every d-th row, and the rows of a block are d apart. Where little is shared (one
// kernel row, both dilation and stride, or a kernel of mostly zeros), rows are computed one at a time, eight vectors at
// once. Very wide pictures are cut into slices of columns, so that strips and sums stay in the second-level cache. The
// work items are blocks of four output rows. Each output is summed over channel, row and column, in this order, so the
// result does not depend on where blocks and slices begin.
//
// Compared with direct, no array of sums is read and written for each tap, and every type and layout is read in full
// vectors. The price is a conversion of each input row that is not float already, and a cache of a few strips. Float
// outputs receive the sums directly; 2 to 4 interleaved output channels are finished together.
//
// Applies when float sums are allowed and the strips stay within kMostMemory. Float sums are always allowed for f32.
// For u8 and u16 they are allowed when max|x| * sum|w| < 2^24, so that integer weights give exact sums in any order,
// fused or not. Weights of 0 are skipped for integer pictures, which have no NaN that the product would have to show.
// The error is that of direct: n * 2^-24 * sum|x||w|.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "conv/engine/algorithm.h"
#include "conv/engine/flat_run.h"
#include "conv/engine/limits.h"
#include "conv/engine/seen_sums.h"
#include "conv/engine/simd.h"
#include "conv/engine/weights.h"
#include "conv/input/row_reader.h"
#include "conv/input/strips.h"

namespace convtool {
namespace {

/// Output columns of a slice. Narrower pictures are one slice, since long reads suit the hardware prefetcher best. (On
/// a Zen 5 at 3840 columns, whole rows took 0.7 to 0.8 times as long as slices of 1000, although the latter stay in the
/// first-level cache.) The strips and sums of wider rows would outgrow the second-level cache.
constexpr std::int64_t kSliceColumns = 16384;

/// The number of input rows, dilation.h apart, that a block of `rows` output rows uses.
std::int64_t rows_used(const ConvProblem& problem, std::int64_t rows) {
  return (rows - 1) * problem.stride.h + problem.kernel.kh;
}

/// The distance between the output rows of a block.
std::int64_t row_step(const ConvProblem& problem) { return problem.stride.h == 1 ? problem.dilation.h : 1; }

/// The number of blocks of `rows` output rows in a batch item. The first blocks begin with rows 0, 1, ... row_step() -
/// 1; the next ones follow these, and so on. The last round may be incomplete; it then consists of its first blocks.
std::int64_t block_count(const ConvProblem& problem, std::int64_t rows) {
  const std::int64_t height = output_shape(problem).h;
  if (rows == 1) return height;
  const std::int64_t step = row_step(problem), least = height / step, longer = height % step;
  const bool longer_take_one_more = least % rows == 0;
  return (least + rows - 1) / rows * step + (longer_take_one_more ? longer : 0);
}

/// The least memory of a thread, in bytes: the strips of a block, one for rows outside, and rows before they are split
/// into phases. A double, since large strides and pads would overflow an integer.
double memory_needed(const ConvProblem& problem, std::int64_t rows) {
  const StripLayout layout(problem, 1, std::min(kSliceColumns, output_shape(problem).w));
  const double strip = static_cast<double>(layout.planes) * static_cast<double>(layout.phase_length);
  const double unsplit = static_cast<double>(problem.input.c) * static_cast<double>(layout.padded_width + kRowSlack);
  return 4 * (strip * static_cast<double>(rows_used(problem, rows) + 1) + unsplit);
}

bool skips_zeros(const ConvProblem& problem) { return is_integer(problem.input_dtype); }

/// Whether to compute four rows at a time: they share strips, and more than half of the weights are not 0.
bool shares_strips(const ConvProblem& problem, const Kernel& kernel) {
  if (problem.kernel.kh == 1 || problem.stride.h >= problem.kernel.kh) return false;
  if (problem.dilation.h > 1 && problem.stride.h > 1) return false;
  if (output_shape(problem).h / row_step(problem) < kBlockRows) return false;
  if (memory_needed(problem, kBlockRows) > kMostMemory) return false;
  if (!skips_zeros(problem)) return true;
  const auto zeros = std::count(kernel.weights.begin(), kernel.weights.end(), 0.0F);
  return 2 * zeros < kernel.shape.count();
}

/// The taps of one sum channel for a block of output rows, in the order of summation.
struct Taps {
  std::vector<TapPlace> places;
  std::vector<float> weights;  // [tap][row that it serves]
  std::vector<TapRun> runs;    // of taps that serve the same rows
};

/// Lists taps for blocks of `block_rows` output rows, of a picture as it is or of its flat view.
class TapLister {
 public:
  TapLister(const ConvProblem& problem, const Kernel& kernel, std::int64_t block_rows, const StripLayout& layout)
      : problem_(problem), kernel_(kernel), block_rows_(block_rows), layout_(layout) {}

  /// Allocates the memory for the taps of any sum channel.
  void reserve(Taps& taps) const {
    const KernelShape& k = kernel_.shape;
    const std::int64_t rows = k.c_i_per_group * rows_used(problem_, block_rows_);
    taps.places.reserve(static_cast<std::size_t>(rows * k.kw));
    taps.weights.reserve(static_cast<std::size_t>(k.taps() * block_rows_));
    taps.runs.reserve(static_cast<std::size_t>(rows));
  }

  /// Writes the taps of sum channel `o` to `taps`.
  void list(std::int64_t o, Taps& taps) const {
    const KernelShape& k = kernel_.shape;
    const std::int64_t first_channel = layout_.pixel > 1 ? 0 : o / (k.c_o / problem_.groups) * k.c_i_per_group;
    const std::int64_t stride = problem_.stride.h;
    taps.places.clear();
    taps.weights.clear();
    taps.runs.clear();
    for (std::int64_t c = 0; c < k.c_i_per_group; ++c) {
      for (std::int64_t y = 0; y < rows_used(problem_, block_rows_); ++y) {
        // Output row i of the block sees strip y as kernel row u = y - i * stride.
        const std::int64_t passed = y - k.kh + 1;  // rows above this one no longer see the strip
        const std::int64_t begin = passed <= 0 ? 0 : (passed + stride - 1) / stride;
        const std::int64_t end = std::min(block_rows_, y / stride + 1);
        if (begin < end) list_row(kernel_.taps(o, c), y, begin, end, first_channel + c, taps);
      }
    }
  }

 private:
  /// Adds the taps of strip `y`, which output rows [begin, end) of the block see.
  void list_row(const float* weights, std::int64_t y, std::int64_t begin, std::int64_t end, std::int64_t channel,
                Taps& taps) const {
    const std::int64_t kw = kernel_.shape.kw;
    const auto weight = [&](std::int64_t i, std::int64_t v) { return weights[(y - i * problem_.stride.h) * kw + v]; };
    if (taps.runs.empty() || taps.runs.back().begin != begin || taps.runs.back().end != end)
      taps.runs.push_back({.begin = begin, .end = end, .taps = 0});
    for (std::int64_t v = 0; v < kw; ++v) {
      bool all_zero = skips_zeros(problem_);
      for (std::int64_t i = begin; i < end; ++i) all_zero = all_zero && weight(i, v) == 0;
      if (all_zero) continue;
      taps.places.push_back({.row = y, .in_row = layout_.tap(channel, v * problem_.dilation.w)});
      for (std::int64_t i = begin; i < end; ++i) taps.weights.push_back(weight(i, v));
      ++taps.runs.back().taps;
    }
  }

  const ConvProblem& problem_;
  const Kernel& kernel_;
  const std::int64_t block_rows_;
  const StripLayout layout_;
};

/// The tap lists of all sum channels are kept if they have no more taps than this. Otherwise they are rebuilt for each
/// block.
constexpr std::int64_t kMostTaps = std::int64_t{1} << 17;

/// The number of strips to keep: those that a block sees, and with dilation those between them, which later blocks will
/// see, as far as kCacheBytes allows.
std::int64_t strip_slots(const ConvProblem& problem, std::int64_t block_rows, const StripLayout& layout) {
  const std::int64_t used = rows_used(problem, block_rows), span = (used - 1) * problem.dilation.h + 1;
  const std::int64_t affordable = kCacheBytes / (layout.size() * static_cast<std::int64_t>(sizeof(float)));
  return std::max(std::min(used, problem.input.h), std::min({span, problem.input.h, affordable}));
}

/// One thread's share of a run, on the picture as it is or on its flat view with `pixel` columns per pixel.
class Pass {
 public:
  Pass(const ConvProblem& problem, const Kernel& kernel, std::int64_t block_rows, const ConstTensorRef& input,
       std::int64_t pixel, const Sink& sink, ResponseStats& stats)
      : out_(output_shape(problem)),
        block_rows_(block_rows),
        top_of_first_(-problem.pads.top),
        stride_(problem.stride.h),
        row_step_(block_rows == 1 ? 1 : row_step(problem)),
        blocks_(block_count(problem, block_rows)),
        width_(out_.w * pixel),
        pitch_(std::min(kSliceColumns, width_) + kRowSlack),
        layout_(problem, pixel, std::min(kSliceColumns, width_)),
        reader_(problem, pixel, input, rows_used(problem, block_rows), strip_slots(problem, block_rows, layout_),
                width_, kSliceColumns),
        lister_(problem, kernel, block_rows, layout_),
        keeps_taps_(kernel.shape.c_o * kernel.shape.taps() <= kMostTaps),
        taps_(static_cast<std::size_t>(keeps_taps_ ? sink.output_channels() * sink.combine_count() : 1)),
        sink_(sink),
        stats_(stats),
        sums_(static_cast<std::size_t>((sink.interleaves() ? sink.output_channels() : 1) * channel_pitch())) {
    if (!keeps_taps_) lister_.reserve(taps_[0]);
    for (std::size_t o = 0; keeps_taps_ && o < taps_.size(); ++o) lister_.list(static_cast<std::int64_t>(o), taps_[o]);
  }

  /// Computes the blocks of `share`, counted through the batch. Several slices are computed one after the other, each
  /// from top to bottom, so they take all blocks at once.
  void run(WorkShare& share) {
    const std::int64_t most = width_ > kSliceColumns ? std::numeric_limits<std::int64_t>::max() : 1;
    for (Range blocks; !(blocks = share.take(most)).is_empty();) {
      for (std::int64_t x = 0; x < width_; x += kSliceColumns) {
        const std::vector<RowReader::Part>& parts = reader_.enter_slice(x);
        for (std::int64_t b = blocks.begin; b < blocks.end; ++b) run_block(b / blocks_, b % blocks_, parts);
      }
    }
  }

 private:
  using Parts = std::vector<RowReader::Part>;

  /// The destination of the sums of a channel's rows, `pitch` apart.
  struct Place {
    float* first;
    std::int64_t pitch;
  };

  // The layout of the buffer is [channel][row of the block][combined sum][column].
  std::int64_t row_pitch() const { return sink_.combine_count() * pitch_; }
  std::int64_t channel_pitch() const { return block_rows_ * row_pitch(); }
  Place buffer(std::int64_t c) { return {sums_.data() + c * channel_pitch(), row_pitch()}; }

  void run_block(std::int64_t n, std::int64_t block, const Parts& parts) {
    // The block starts at number `first` of the rows `offset`, `offset` + row_step_, ... The last block moves up to be
    // complete, and computes some rows a second time.
    const std::int64_t offset = block % row_step_, first = block / row_step_ * block_rows_;
    const std::int64_t rows = (out_.h - offset + row_step_ - 1) / row_step_;
    const std::int64_t top = std::min(first, rows - block_rows_);
    const std::int64_t x = parts.front().begin, count = parts.back().begin + parts.back().count - x;
    const auto span = [&](std::int64_t i) {
      return RowSpan{.n = n, .y = offset + (top + i) * row_step_, .x = x, .count = count};
    };
    reader_.enter_block(n, top_of_first_ + span(0).y * stride_);
    if (sink_.interleaves()) {
      for (std::int64_t c = 0; c < sink_.output_channels(); ++c) sum(c, parts, buffer(c), buffer(c));
      for (std::int64_t i = first - top; i < block_rows_; ++i)
        sink_.finish_channels(span(i), sums_.data() + i * row_pitch(), channel_pitch(), pitch_, stats_);
      return;
    }
    for (std::int64_t c = 0; c < sink_.output_channels(); ++c) {
      // Sums go straight to the output, except where another thread writes the same rows.
      float* output = sink_.strides().w == 1 && top == first && std::any_of(parts.begin(), parts.end(), is_whole)
                          ? sink_.place_of(span(0), c)
                          : nullptr;
      const Place place = output != nullptr ? Place{output, row_step_ * sink_.strides().h} : buffer(0);
      SeenSums seen;
      sum(c, parts, place, buffer(0), output != nullptr ? &seen : nullptr);
      if (output != nullptr && seen.is_finite()) {
        seen.merge_into(stats_);
        continue;
      }
      for (std::int64_t i = first - top; i < block_rows_; ++i)
        sink_.finish(span(i), c, place.first + i * place.pitch, pitch_, stats_);
    }
  }

  /// Whether the sums fill whole vectors, so that nothing is written past them.
  static bool is_whole(const RowReader::Part& part) { return part.count % float_lanes() == 0; }

  /// Computes the sums of channel `c` for all rows of the block and puts them at `place`, through `buffer` where
  /// nothing may be written past the end of a part. Records them in `seen` unless it is null.
  void sum(std::int64_t c, const Parts& parts, const Place& place, const Place& buffer, SeenSums* seen = nullptr) {
    const std::int64_t joined = sink_.combine_count(), x = parts.front().begin;
    for (std::int64_t j = 0; j < joined; ++j) {
      const Taps& taps = taps_of(c * joined + j);
      for (std::size_t s = 0; s < parts.size(); ++s) {
        const std::int64_t at = j * pitch_ + parts[s].begin - x, count = parts[s].count;
        const Place& to = is_whole(parts[s]) ? place : buffer;
        sum_rows({.sources = reader_.sources(s, taps.places),
                  .weights = taps.weights.data(),
                  .runs = taps.runs.data(),
                  .run_count = std::ssize(taps.runs),
                  .rows = block_rows_},
                 0, count, to.first + at, to.pitch, is_whole(parts[s]) ? seen : nullptr);
        if (to.first == place.first) continue;
        for (std::int64_t i = 0; i < block_rows_; ++i) {
          std::copy_n(to.first + at + i * to.pitch, count, place.first + at + i * place.pitch);
          if (seen != nullptr) seen->see(to.first + at + i * to.pitch, count);
        }
      }
    }
  }

  const Taps& taps_of(std::int64_t o) {
    if (keeps_taps_) return taps_[static_cast<std::size_t>(o)];
    lister_.list(o, taps_[0]);
    return taps_[0];
  }

  const Shape out_;
  const std::int64_t block_rows_, top_of_first_, stride_, row_step_, blocks_, width_, pitch_;
  const StripLayout layout_;
  RowReader reader_;
  const TapLister lister_;
  const bool keeps_taps_;
  std::vector<Taps> taps_;
  const Sink& sink_;
  ResponseStats& stats_;
  std::vector<float> sums_;
};

class RowsExecutor final : public Executor {
 public:
  RowsExecutor(const ConvProblem& problem, const Kernel& kernel, bool shares)
      : problem_(problem),
        kernel_(kernel),
        out_(output_shape(problem)),
        block_rows_(shares ? kBlockRows : 1),
        may_flatten_(problem.stride.w == 1 && channels_share_kernel(problem, kernel)) {}

  std::int64_t work_items(const Sink&) const override { return out_.n * block_count(problem_, block_rows_); }

  void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const override {
    run_flat_where_possible(may_flatten_, input, sink,
                            [&](const ConstTensorRef& picture, std::int64_t pixel, const Sink& to) {
                              Pass(problem_, kernel_, block_rows_, picture, pixel, to, stats).run(share);
                            });
  }

 private:
  const ConvProblem& problem_;
  const Kernel& kernel_;
  const Shape out_;
  const std::int64_t block_rows_;
  const bool may_flatten_;
};

/// In nanoseconds, fitted to one thread of a Zen 5 on 3840x2160 pictures, 1x1 to 15x15, with AVX-512, AVX2 and SSE4
/// (16, 8 and 4 lanes): 0.14 ns per vector of multiply-adds in blocks of four rows, whose first and last rows share
/// less, and twice that row by row; 0.02 ns and a fraction of a vector for each pixel converted and each output
/// finished; and a fixed time per row.
double cost(const ConvProblem& problem, const Kernel& kernel, bool shares) {
  const Shape out = output_shape(problem);
  const auto lanes = static_cast<double>(float_lanes()), kh = static_cast<double>(problem.kernel.kh);
  const double rows = shares ? static_cast<double>(kBlockRows) : 1;
  const double vectors = std::ceil(static_cast<double>(out.w) / lanes) * static_cast<double>(out.n * out.c * out.h);
  double taps = static_cast<double>(problem.kernel.taps());
  if (skips_zeros(problem) && !shares) {
    const auto zeros = std::count(kernel.weights.begin(), kernel.weights.end(), 0.0F);
    taps -= static_cast<double>(zeros) / static_cast<double>(problem.kernel.c_o);
  }
  const double multiply_adds = vectors * taps * (shares ? 0.14 * (1 + (rows - 1) / kh) : 0.31);
  const double pixels = static_cast<double>(problem.input.count()) * (0.02 + 0.6 / lanes);
  const double outputs = static_cast<double>(out.count()) * (0.04 + 1 / lanes);
  // SIMD separates and interleaves up to 4 channels; more are moved one by one.
  const bool together = problem.input_channels_last && problem.output_channels_last && problem.stride.w == 1 &&
                        channels_share_kernel(problem, kernel);
  const auto placing_of = [&](const Shape& shape, bool channels_last, double one_by_one) {
    if (!channels_last || together || shape.c == 1) return 0.0;
    return static_cast<double>(shape.count()) * (has_planes(shape.c) ? 0.12 : one_by_one);
  };
  const double placing =
      placing_of(problem.input, problem.input_channels_last, 0.3) + placing_of(out, problem.output_channels_last, 0.55);
  const double row_starts = static_cast<double>(out.n * out.c * out.h) * (40 + taps / rows);
  return multiply_adds + pixels + outputs + placing + row_starts;
}

/// The most memory of a thread: that of the strips, which may fill the cache with more of them, the sums of a block in
/// each channel, and the weights and places of the taps, for which two floats and one place are counted.
double thread_memory(const ConvProblem& problem, std::int64_t rows) {
  const Shape out = output_shape(problem);
  const auto slice = static_cast<double>(std::min(kSliceColumns, out.w * problem.input.c) + kRowSlack);
  const double sums = 4 * static_cast<double>(out.c * rows) * slice;
  const double kept = static_cast<double>(std::max(kMostTaps, problem.kernel.taps()) * rows);
  const double taps = std::min(kept, static_cast<double>(problem.kernel.count() * rows));
  return memory_needed(problem, rows) + static_cast<double>(kCacheBytes) + sums +
         taps * static_cast<double>(sizeof(TapPlace) + 2 * sizeof(float));
}

}  // namespace

const Algorithm kRows = {
    .name = "rows",
    .threaded = true,
    .can_choose = true,
    .consider = [](const ConvProblem& problem, const Kernel& kernel) -> Offer {
      if (memory_needed(problem, 1) > kMostMemory) return refuse(kBeyondMemory);
      if (!float_sums_suffice(problem, kernel)) return refuse(kBeyondFloat);
      const bool shares = shares_strips(problem, kernel);
      return {.nanoseconds = cost(problem, kernel, shares),
              .thread_memory = thread_memory(problem, shares ? kBlockRows : 1),
              .sum_memory = 0,  // all sums are counted
              .make = [&problem, &kernel, shares] { return std::make_unique<RowsExecutor>(problem, kernel, shares); }};
    },
};

}  // namespace convtool
