// rows: sums of weighted, shifted float rows, by SIMD.
//
// Input rows are converted once into strips (strips.h): float, border columns filled in, planes or one flat row, so
// that every tap is a shifted, contiguous read whatever the picture's type and layout were:
//
//   sums(i)[j]  +=  weight(u, v) * strip(i + u)[v * dilation + j]
//
// Output rows are made four at a time where rows share strips: a vector of pixels, once loaded, is multiplied for each
// output row that sees it, and the sums of four rows by some vectors stay in registers while all taps pass
// (simd-inl.h). So there is about one load to four multiply-adds, and the arithmetic units are the limit, not the
// loads. A tap whose row is seen by some of the four only is summed by a text for just these: no weight of 0 is made up
// that would turn infinity into NaN.
//
//   output rows of a block      0 1 2 3        strip 0 serves row 0, strip 1 rows 0 and 1, strip 2 rows 0 to 2,
//   kernel row u on strip y     u = y - row    strip 3 rows 1 to 3, ... (3 kernel rows)
//
// Where little is shared (one kernel row, far dilation, kernels of mostly zeros) rows are made one at a time, eight
// vectors at once. Very wide pictures are worked down in panels, so that strips and sums stay in the
// second-level cache. Four-row blocks of outputs are the pieces; each output is summed over channel, row, column in
// this order in either way, so that nothing depends on how blocks and panels fall.
//
// Against direct: no array of sums is read and written for each tap, and every type and layout is read with full
// vectors. It costs a conversion of each input row and a cache of some strips.
//
// Applies when float sums are allowed: f32 always; u8 and u16 when max|x| * sum|w| < 2^24, so that integer weights give
// exact sums in any order, fused or not; and while the strips stay within kMostMemory. Weights of 0 are skipped for
// integer pictures, which have no NaN to hide. The error is direct's: n * 2^-24 * sum|x||w|.

#include <algorithm>
#include <cmath>
#include <vector>

#include "conv/algorithm.h"
#include "conv/flat.h"
#include "conv/float_sums.h"
#include "conv/row_reader.h"
#include "conv/simd.h"
#include "conv/strips.h"

namespace convtool {
namespace {

/// Output columns of a panel. Rows are worked on whole where they are no wider: long reads are what prefetching
/// hardware serves best. (On a Zen 5 at 3840 columns whole rows took 0.7 to 0.8 times the time of panels of 1000,
/// although the latter stay in the first-level cache.) Of wider rows, strips and sums would outgrow the second-level
/// cache.
constexpr std::int64_t kPanel = 16384;

/// Input rows that one block of `rows` output rows sees.
std::int64_t rows_seen(const ConvProblem& problem, std::int64_t rows) {
  return (rows - 1) * problem.stride.h + dilated_kernel(problem.kernel, problem.dilation).h;
}

constexpr double kMostMemory = 16 << 20;

/// What a thread holds at least, in bytes: the strips of a block, one for outside, and rows that are not split yet. As
/// a double, since strides and pads may be as large as they like.
double memory_needed(const ConvProblem& problem, std::int64_t rows) {
  const StripLayout layout(problem, 1, std::min(kPanel, output_shape(problem).w));
  const double strip = static_cast<double>(layout.planes) * static_cast<double>(layout.phase_length);
  const double unsplit = static_cast<double>(problem.input.c) * static_cast<double>(layout.padded_width + kRowSlack);
  const std::int64_t strips = rows == 1 ? problem.kernel.kh : rows_seen(problem, rows);
  return 4 * (strip * static_cast<double>(strips + 1) + unsplit);
}

bool skips_zeros(const ConvProblem& problem) { return is_integer(problem.input_dtype); }

/// Four rows at a time where strips are shared by rows that are neighbours, and more than half of what the blocks
/// multiply is not 0.
bool shares_strips(const ConvProblem& problem, const Kernel& kernel) {
  if (problem.kernel.kh == 1 || problem.dilation.h > 1 || problem.stride.h >= problem.kernel.kh) return false;
  if (output_shape(problem).h < kBlockRows) return false;
  if (memory_needed(problem, kBlockRows) > kMostMemory) return false;
  if (!skips_zeros(problem)) return true;
  const auto zeros = std::count(kernel.weights.begin(), kernel.weights.end(), 0.0F);
  return 2 * zeros < kernel.shape.count();
}

class RowsExecutor final : public Executor {
 public:
  RowsExecutor(const ConvProblem& problem, const Kernel& kernel)
      : problem_(problem),
        kernel_(kernel),
        out_(output_shape(problem)),
        block_rows_(shares_strips(problem, kernel) ? kBlockRows : 1),
        may_flatten_(problem.stride.w == 1 && channels_share_kernel(problem, kernel)) {}

  std::int64_t pieces(const Sink&) const override { return out_.n * blocks(); }

  void run(const ConstTensorRef& input, const Sink& sink, std::int64_t begin, std::int64_t end,
           ResponseStats& stats) const override {
    if (may_flatten_ && is_interleaved(input) && sink.combine_count() * problem_.groups == kernel_.shape.c_o) {
      if (const std::optional<Sink> flat = sink.flattened(input))
        return run_on(flat_view(input), *flat, problem_.input.c, begin, end, stats);
    }
    run_on(input, sink, 1, begin, end, stats);
  }

 private:
  /// The taps of one sum channel for a block of output rows, in the order of summation.
  struct Taps {
    std::vector<TapPlace> places;
    std::vector<float> weights;  // for each tap one for each row that it serves
    std::vector<TapRun> runs;    // of taps that serve the same rows
  };

  /// The lists of all sum channels are kept where they are no longer than this, and made for each block where they are.
  static constexpr std::int64_t kMostTaps = std::int64_t{1} << 17;

  std::int64_t blocks() const { return (out_.h + block_rows_ - 1) / block_rows_; }

  /// run() on the picture as it is, or on its flat view with `pixel` columns to a pixel.
  void run_on(const ConstTensorRef& input, const Sink& sink, std::int64_t pixel, std::int64_t begin, std::int64_t end,
              ResponseStats& stats) const {
    const std::int64_t joined = sink.combine_count(), channels = sink.output_channels(), width = out_.w * pixel;
    const std::int64_t pitch = std::min(kPanel, width) + kRowSlack;
    const StripLayout layout(problem_, pixel, std::min(kPanel, width));
    RowReader reader(problem_, pixel, input, rows_seen(problem_, block_rows_),
                     block_rows_ == 1 ? problem_.dilation.h : 1, slots(layout));
    std::vector<float> sums(static_cast<std::size_t>(block_rows_ * joined * pitch));
    const bool keeps_taps = channels * joined * kernel_.shape.taps() <= kMostTaps;
    std::vector<Taps> lists(static_cast<std::size_t>(keeps_taps ? channels * joined : 1));
    if (keeps_taps) {
      for (std::int64_t o = 0; o < channels * joined; ++o) list_taps(o, layout, lists[static_cast<std::size_t>(o)]);
    }
    const auto taps_of = [&](std::int64_t o) -> const Taps& {
      if (keeps_taps) return lists[static_cast<std::size_t>(o)];
      list_taps(o, layout, lists[0]);
      return lists[0];
    };

    const auto fills_vectors = [](const RowReader::Segment& segment) { return segment.count % float_lanes() == 0; };
    const auto run_block = [&](std::int64_t n, std::int64_t first, const std::vector<RowReader::Segment>& segments) {
      const std::int64_t top = std::min(first, out_.h - block_rows_);  // the last block may do some rows once more
      const std::int64_t x = segments.front().begin, count = segments.back().begin + segments.back().count - x;
      const bool some_fill_vectors = std::any_of(segments.begin(), segments.end(), fills_vectors);
      reader.enter_block(n, top * problem_.stride.h - problem_.pads.top);
      for (std::int64_t c = 0; c < channels; ++c) {
        // The output itself takes sums that fill vectors, unless another thread writes the rows that are done again.
        const bool in_place = some_fill_vectors && sink.strides().w == 1 && top == first;
        float* place = in_place ? sink.place_of({.n = n, .y = top, .x = x, .count = count}, c) : nullptr;
        for (std::int64_t j = 0; j < joined; ++j) {
          const Taps& taps = taps_of(c * joined + j);
          for (std::size_t s = 0; s < segments.size(); ++s) {
            const std::int64_t from = segments[s].begin, length = segments[s].count;
            const bool in_output = place != nullptr && fills_vectors(segments[s]);
            float* to = in_output ? place + (from - x) : sums.data() + j * pitch + (from - x);
            const std::int64_t row_pitch = in_output ? sink.strides().h : joined * pitch;
            sum_rows({.sources = reader.sources(s, taps.places),
                      .weights = taps.weights.data(),
                      .runs = taps.runs.data(),
                      .run_count = std::ssize(taps.runs),
                      .rows = block_rows_},
                     0, length, to, row_pitch);
            for (std::int64_t i = 0; place != nullptr && !in_output && i < block_rows_; ++i)
              std::copy_n(to + i * row_pitch, length, place + i * sink.strides().h + (from - x));
          }
        }
        const float* finished = place != nullptr ? place : sums.data();
        const std::int64_t row_pitch = place != nullptr ? sink.strides().h : joined * pitch;
        for (std::int64_t i = first - top; i < block_rows_; ++i)
          sink.finish({.n = n, .y = top + i, .x = x, .count = count}, c, finished + i * row_pitch, pitch, stats);
      }
    };

    while (begin < end) {  // down each panel of a batch item
      const std::int64_t n = begin / blocks(), block = begin % blocks();
      const std::int64_t count = std::min(end - begin, blocks() - block);
      for (std::int64_t x = 0; x < width; x += kPanel) {
        const std::vector<RowReader::Segment>& segments = reader.enter_panel(x, std::min(kPanel, width - x));
        for (std::int64_t b = block; b < block + count; ++b) run_block(n, b * block_rows_, segments);
      }
      begin += count;
    }
  }

  /// Lists the taps of sum channel `o`.
  void list_taps(std::int64_t o, const StripLayout& layout, Taps& taps) const {
    const KernelShape& k = kernel_.shape;
    const std::int64_t first_channel = layout.pixel > 1 ? 0 : o / (k.c_o / problem_.groups) * k.c_i_per_group;
    const std::int64_t stride = problem_.stride.h, dilation = problem_.dilation.h;
    taps.places.clear();
    taps.weights.clear();
    taps.runs.clear();
    for (std::int64_t c = 0; c < k.c_i_per_group; ++c) {
      for (std::int64_t y = 0; y < rows_seen(problem_, block_rows_); ++y) {
        // Output row i of the block sees strip y as kernel row u = (y - i * stride) / dilation.
        if (block_rows_ == 1 && y % dilation != 0) continue;
        const std::int64_t passed = y / dilation - k.kh + 1;  // rows above it have passed the strip
        const std::int64_t begin = passed <= 0 ? 0 : (passed + stride - 1) / stride;
        const std::int64_t end = std::min(block_rows_, y / stride + 1);
        if (begin < end) list_row(kernel_.taps(o, c), y, begin, end, first_channel + c, layout, taps);
      }
    }
  }

  /// The taps of strip `y`, which output rows [begin, end) of the block see.
  void list_row(const float* weights, std::int64_t y, std::int64_t begin, std::int64_t end, std::int64_t channel,
                const StripLayout& layout, Taps& taps) const {
    const std::int64_t kw = kernel_.shape.kw;
    const auto weight = [&](std::int64_t i, std::int64_t v) {
      return weights[(y - i * problem_.stride.h) / problem_.dilation.h * kw + v];
    };
    if (taps.runs.empty() || taps.runs.back().begin != begin || taps.runs.back().end != end)
      taps.runs.push_back({.begin = begin, .end = end, .taps = 0});
    for (std::int64_t v = 0; v < kw; ++v) {
      bool all_zero = skips_zeros(problem_);
      for (std::int64_t i = begin; i < end; ++i) all_zero = all_zero && weight(i, v) == 0;
      if (all_zero) continue;
      taps.places.push_back({.y = y, .in_row = layout.tap(channel, v * problem_.dilation.w)});
      for (std::int64_t i = begin; i < end; ++i) taps.weights.push_back(weight(i, v));
      ++taps.runs.back().taps;
    }
  }

  /// As many strips as a block sees at once, and those that will be seen again when the window is dilated: but no more
  /// than a second-level cache holds.
  std::int64_t slots(const StripLayout& layout) const {
    const std::int64_t seen = std::min(rows_seen(problem_, block_rows_), problem_.input.h);
    if (block_rows_ > 1) return seen;
    const std::int64_t affordable = kCacheBytes / (layout.size() * static_cast<std::int64_t>(sizeof(float)));
    return std::max(kernel_.shape.kh, std::min(seen, affordable));
  }

  /// Half of a common second-level cache; the rest is for sums, output and input.
  static constexpr std::int64_t kCacheBytes = std::int64_t{512} << 10;

  const ConvProblem& problem_;
  const Kernel& kernel_;
  const Shape out_;
  const std::int64_t block_rows_;
  const bool may_flatten_;
};

/// In nanoseconds, by what a Zen 5 took on one thread for 3840x2160 pictures at 1x1 to 15x15 with AVX-512, AVX2 and
/// SSE4 (16, 8 and 4 lanes): 0.14 ns a vector of multiply-adds in blocks of four rows, whose first and last rows share
/// less, twice that row by row; 0.02 ns and some vectors for each pixel converted and each output finished; and what a
/// row costs however short it is.
double cost(const ConvProblem& problem, const Kernel& kernel) {
  const Shape out = output_shape(problem);
  const auto lanes = static_cast<double>(float_lanes()), kh = static_cast<double>(problem.kernel.kh);
  const bool shares = shares_strips(problem, kernel);
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
  // Channels of a pixel that are neighbours are placed one by one, and picked so, but where bytes are taken apart by
  // SIMD (strips.cpp) or all is one flat row.
  const bool scattered =
      problem.channels_last && out.c > 1 && !(problem.stride.w == 1 && channels_share_kernel(problem, kernel));
  const bool picked = problem.input_dtype != DType::u8 || problem.input.c > 4;
  const double placing =
      !scattered ? 0
                 : static_cast<double>(out.count()) + (picked ? 0.5 : 0.1) * static_cast<double>(problem.input.count());
  const double row_starts = static_cast<double>(out.n * out.c * out.h) * (40 + taps / rows);
  return multiply_adds + pixels + outputs + placing + row_starts;
}

}  // namespace

const Algorithm kRows = {
    .name = "rows",
    .threaded = true,
    .can_choose = true,
    .refusal = [](const ConvProblem& problem, const Kernel& kernel) -> std::string {
      if (memory_needed(problem, 1) > kMostMemory) return "its strips of rows would take more than 16 MiB a thread";
      if (!float_sums_suffice(problem, kernel))
        return "the sums of these integers need more than the 24 bits of a float";
      return "";
    },
    .cost = cost,
    .prepare = [](const ConvProblem& problem, const Kernel& kernel) -> std::unique_ptr<Executor> {
      return std::make_unique<RowsExecutor>(problem, kernel);
    },
};

}  // namespace convtool
