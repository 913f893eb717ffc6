// box: kernels of equal weights, on pictures of integers, by running sums.
//
// Integers can be added to a running sum and subtracted again without any error. So each column keeps the sum of the
// rows that the kernel sees, and moves down the picture with one row entering and one leaving. These column sums are
// accumulated along the row, and the sum of a window is the difference of two accumulated sums:
//
//   column sums      s(x) += entering row(x) - leaving row(x)
//   accumulated      p(x) = s(0) + ... + s(x - 1)
//   windows          p(x + kw) - p(x)
//
// A 63x63 kernel takes the same few operations per pixel as a 3x3 kernel. The idea is as old as box filters; M. J.
// McDonnell, Box-Filtering Techniques, 1981, describes it.
//
// Applies to u8 and u16 pictures at stride and dilation 1 when each output sees one input channel, its weights are all
// equal, the padding value is one that pixels can have, and float sums are allowed (weights.h). The sum of a window is
// exact. At the end it is converted to float and multiplied by the weight, which takes at most two roundings, and none
// for weights that are integers, or integers over a power of two, where every product is a float.

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "conv/algorithms/box/running_sums.h"
#include "conv/engine/algorithm.h"
#include "conv/engine/flat_run.h"
#include "conv/engine/limits.h"
#include "conv/engine/simd.h"
#include "conv/engine/weights.h"
#include "conv/padding.h"
#include "core/aligned.h"

namespace convtool {
namespace {

/// Output columns of a slice, whose sums stay in the second-level cache.
constexpr std::int64_t kSliceColumns = 16384;

/// Rounds a number of floats up to whole cache lines.
std::int64_t round_up(std::int64_t count) { return (count + 15) / 16 * 16; }

/// The common weight of all taps of sum channel `o`, if they have one.
std::optional<float> only_weight(const Kernel& kernel, std::int64_t o) {
  const float* taps = kernel.taps(o, 0);
  const bool same = std::all_of(taps, taps + kernel.shape.kh * kernel.shape.kw,
                                [taps](float weight) { return weight == taps[0] && std::isfinite(weight); });
  return same ? std::optional(taps[0]) : std::nullopt;
}

/// One thread's share of a run, on a picture as it is or on its flat view with `pixel` columns per pixel.
template <class In>
class Pass {
 public:
  Pass(const ConvProblem& problem, const std::vector<float>& weights, const TensorView<const In>& input,
       std::int64_t pixel, const Sink& sink, ResponseStats& stats)
      : problem_(problem),
        weights_(weights),
        input_(input),
        pixel_(pixel),
        oh_(output_shape(problem).h),
        ow_(output_shape(problem).w * pixel),
        sink_(sink),
        stats_(stats),
        slice_(std::min(kSliceColumns, ow_)),
        reach_((problem.kernel.kw - 1) * pixel),
        pitch_(round_up(slice_ + reach_ + pixel + kRowSlack)),
        outside_(static_cast<std::size_t>(input.shape.w), static_cast<In>(problem.padding_value)),
        nothing_(outside_.size()),
        entering_(outside_.size()),
        leaving_(outside_.size()),
        sums_(static_cast<std::size_t>(input.shape.c * pitch_)),
        prefix_(sums_.size()),
        products_(static_cast<std::size_t>(sink.combine_count() * pitch_)) {
    std::int64_t most = 0;
    for (std::int64_t x = 0; x < ow_; x += slice_) most = std::max(most, outside_columns(x, std::min(slice_, ow_ - x)));
    borders_.reserve(static_cast<std::size_t>(most));
  }

  /// Computes the output rows of `share`, counted through the batch. Several slices are computed one after the other,
  /// so they take all rows at once.
  void run(WorkShare& share) {
    const std::int64_t most = slice_ < ow_ ? std::numeric_limits<std::int64_t>::max() : 1;
    for (Range rows; !(rows = share.take(most)).is_empty();) {
      for (std::int64_t x = 0; x < ow_; x += slice_) {
        for (std::int64_t row = rows.begin; row < rows.end; ++row)
          run_row(row, {.n = row / oh_, .y = row % oh_, .x = x, .count = std::min(slice_, ow_ - x)});
      }
    }
  }

 private:
  /// Computes a slice of output row `row`. Its running sums are those of the row above, moved on, where that was the
  /// last one computed.
  void run_row(std::int64_t row, const RowSpan& span) {
    const bool goes_on = row == last_row_ + 1 && span.x == last_x_ && span.y > 0;
    if (!goes_on) start(span);
    for (std::int64_t c = 0; c < input_.shape.c; ++c) {
      std::uint32_t* sums = sums_.data() + c * pitch_;
      if (goes_on)
        slide_rows(row_of(span.n, c, span.y + problem_.kernel.kh - 1, entering_),
                   row_of(span.n, c, span.y - 1, leaving_), sums);
      add_up(sums, pixel_, span.count + reach_, prefix_.data() + c * pitch_);
    }
    finish_row(span);
    last_row_ = row;
    last_x_ = span.x;
  }

  /// Computes the running sums of a row.
  void start(const RowSpan& span) {
    const KernelShape& k = problem_.kernel;
    enter_slice(span.x, span.count);
    for (std::int64_t c = 0; c < input_.shape.c; ++c) {
      std::uint32_t* sums = sums_.data() + c * pitch_;
      const auto padding = static_cast<std::uint32_t>(problem_.padding_value);
      // Columns outside the picture start with the padding value. It is 0 in the modes that show pixels of the picture
      // there; slide_rows() adds those pixels.
      std::fill_n(sums, span.count + reach_, padding * static_cast<std::uint32_t>(k.kh));
      std::fill(sums + begin_, sums + end_, 0U);
      for (std::int64_t u = 0; u < k.kh; ++u)
        slide_rows(row_of(span.n, c, span.y + u, entering_), nothing_.data(), sums);
    }
  }

  /// The columns that a slice sees outside the picture.
  std::int64_t outside_columns(std::int64_t x, std::int64_t columns) const {
    const std::int64_t first = x - problem_.pads.left * pixel_, last = first + columns + reach_;
    const std::int64_t begin = std::clamp<std::int64_t>(0, first, last), end = std::clamp(input_.shape.w, begin, last);
    return last - first - (end - begin);
  }

  /// Finds the columns of a slice that lie in the picture, and the picture columns that its border shows.
  void enter_slice(std::int64_t x, std::int64_t columns) {
    const std::int64_t first = x - problem_.pads.left * pixel_, last = first + columns + reach_;
    const std::int64_t begin = std::clamp<std::int64_t>(0, first, last), end = std::clamp(input_.shape.w, begin, last);
    begin_ = begin - first;
    end_ = end - first;
    picture_ = begin;
    borders_.clear();
    for (std::int64_t at = first; at < last; ++at) {
      if (at >= begin && at < end) continue;
      const std::int64_t column = pad_column(problem_.padding_mode, at, input_.shape.w, pixel_);
      if (column != kOutside) borders_.push_back({.at = at - first, .column = column});
    }
  }

  /// The input row that the first kernel row sees for output row `y`, copied to `copy` where pixels are not contiguous.
  const In* row_of(std::int64_t n, std::int64_t c, std::int64_t y, std::vector<In>& copy) const {
    const std::int64_t seen = pad_index(problem_.padding_mode, y - problem_.pads.top, input_.shape.h);
    if (seen == kOutside) return outside_.data();
    const In* pixels = input_.row(n, c, seen);
    if (input_.strides.w == 1) return pixels;
    for (std::int64_t x = 0; x < input_.shape.w; ++x) copy[static_cast<std::size_t>(x)] = pixels[x * input_.strides.w];
    return copy.data();
  }

  void slide_rows(const In* entering, const In* leaving, std::uint32_t* sums) const {
    slide(entering + picture_, leaving + picture_, end_ - begin_, sums + begin_);
    for (const Border& border : borders_)
      sums[border.at] = sums[border.at] + entering[border.column] - leaving[border.column];
  }

  void finish_row(const RowSpan& span) {
    const std::int64_t joined = sink_.combine_count();
    const std::int64_t sums_per_channel = sink_.output_channels() * joined / input_.shape.c;
    for (std::int64_t c = 0; c < sink_.output_channels(); ++c) {
      for (std::int64_t j = 0; j < joined; ++j) {
        const std::int64_t o = c * joined + j;
        weigh(prefix_.data() + o / sums_per_channel * pitch_, problem_.kernel.kw * pixel_,
              weights_[static_cast<std::size_t>(o)], span.count, products_.data() + j * pitch_);
      }
      sink_.finish(span, c, products_.data(), pitch_, stats_);
    }
  }

  /// A border column `at` that shows picture column `column`.
  struct Border {
    std::int64_t at, column;
  };

  const ConvProblem& problem_;
  const std::vector<float>& weights_;  // of each sum channel
  const TensorView<const In> input_;
  const std::int64_t pixel_, oh_, ow_;
  const Sink& sink_;
  ResponseStats& stats_;
  const std::int64_t slice_, reach_, pitch_;
  std::int64_t begin_ = 0, end_ = 0, picture_ = 0;  // slice columns [begin_, end_) show the picture from there
  std::int64_t last_row_ = -2, last_x_ = -1;        // of the last slice of a row that was computed
  std::vector<Border> borders_;
  const std::vector<In> outside_, nothing_;     // rows of the padding value, and of 0
  std::vector<In> entering_, leaving_;          // copies of rows whose pixels are not contiguous
  AlignedVector<std::uint32_t> sums_, prefix_;  // [channel][pitch]
  AlignedVector<float> products_;               // [combined sum][pitch]
};

class BoxExecutor final : public Executor {
 public:
  /// `weights` has one for each sum channel.
  BoxExecutor(const ConvProblem& problem, const Kernel& kernel, std::vector<float> weights)
      : problem_(problem),
        out_(output_shape(problem)),
        may_flatten_(channels_share_kernel(problem, kernel)),
        weights_(std::move(weights)) {}

  std::int64_t work_items(const Sink&) const override { return out_.n * out_.h; }  // output rows, through the batch

  void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const override {
    run_flat_where_possible(may_flatten_, input, sink,
                            [&](const ConstTensorRef& picture, std::int64_t pixel, const Sink& to) {
                              visit_dtype(picture.dtype, [&]<class In>(In) {
                                if constexpr (!std::is_same_v<In, float>)
                                  Pass<In>(problem_, weights_, picture.view<In>(), pixel, to, stats).run(share);
                              });
                            });
  }

 private:
  const ConvProblem& problem_;
  const Shape out_;
  const bool may_flatten_;
  const std::vector<float> weights_;
};

double cost(const ConvProblem& problem, const Kernel& kernel) {
  // Measured with 31x31 and 63x63 at 3840x2160 on a Zen 5 with AVX-512, AVX2 and SSE4; interleaved channels with
  // different kernels, whose pixels are moved one by one, at 960x540. The rows of the first window come on top.
  const Shape out = output_shape(problem);
  const bool from = problem.input_channels_last, to = problem.output_channels_last;
  const bool together = from && to && channels_share_kernel(problem, kernel);
  const double picking = from && !together && problem.input.c > 1 ? static_cast<double>(problem.input.count()) : 0;
  const double placing = to && !together && out.c > 1 ? 0.6 * static_cast<double>(out.count()) : 0;
  const double started = 1 + static_cast<double>(problem.kernel.kh) / static_cast<double>(out.h);
  return picking + placing +
         started * static_cast<double>(out.count()) * (0.1 + 3 / static_cast<double>(float_lanes()));
}

/// Running sums, their prefix sums and products of a slice, and four rows of pixels.
double thread_memory(const ConvProblem& problem) {
  const std::int64_t channels = problem.input.c, slice = std::min(kSliceColumns, output_shape(problem).w * channels);
  const std::int64_t pitch = slice + problem.kernel.kw * channels + 2 * kRowSlack;
  const auto row = static_cast<double>(problem.input.w) * static_cast<double>(channels * size_of(problem.input_dtype));
  return 4 * static_cast<double>((2 * channels + 1) * pitch) + 4 * row;
}

Offer consider(const ConvProblem& problem, const Kernel& kernel) {
  const KernelShape& k = kernel.shape;
  if (!is_integer(problem.input_dtype))
    return refuse("it needs integer input: a running float sum would accumulate rounding errors");
  if (problem.stride != Extent{} || problem.dilation != Extent{})
    return refuse("it supports only stride 1 and dilation 1");
  if (k.c_i_per_group > 1) return refuse("it does not sum over channels");
  std::vector<float> weights;
  for (std::int64_t o = 0; o < k.c_o; ++o) {
    const std::optional<float> weight = only_weight(kernel, o);
    if (!weight) return refuse("the weights are not all the same");
    weights.push_back(*weight);
  }
  const double padding = problem.padding_value, most = full_range(problem.input_dtype);
  if (padding < 0 || padding > most || padding != std::trunc(padding))
    return refuse("pixels cannot have the padding value");
  if (most * static_cast<double>(k.kh) * static_cast<double>(k.kw) >= 0x1p31)
    return refuse("the sums of these integers need more than 31 bits");
  if (!float_sums_suffice(problem, kernel)) return refuse(kBeyondFloat);
  const auto channels = static_cast<double>(problem.input.c);
  const double slice =
      std::min(static_cast<double>(kSliceColumns), static_cast<double>(output_shape(problem).w) * channels);
  if (8 * channels * (slice + static_cast<double>(k.kw * problem.input.c + kRowSlack)) > kMostMemory)
    return refuse(kBeyondMemory);
  return {.nanoseconds = cost(problem, kernel),
          .thread_memory = thread_memory(problem),
          .make = [&problem, &kernel, weights = std::move(weights)] {
            return std::make_unique<BoxExecutor>(problem, kernel, weights);
          }};
}

}  // namespace

const Algorithm kBox = {.name = "box", .threaded = true, .can_choose = true, .consider = consider};

}  // namespace convtool
