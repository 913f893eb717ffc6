// depthwise: every output channel sees one input channel, and vectors run over channels.
//
// On channels-last rows (channel_strips.h) the pixel that a tap sees is a vector of channels, and so are its weights:
//
//   strip(u)      |c0 c1 c2 ..|c0 c1 c2 ..|c0 c1 c2 ..|    [x][c]
//   weights       |c0 c1 c2 ..|                            [u][v][c]
//   sums[p][c]    += strip(u)[p * stride + v][c] * weights[u][v][c]
//
// Several pixels share each vector of weights. 3x3 kernels without dilation, at stride 1 or 2, take two output rows at
// once: each input row, which is longer than the first-level cache, is then read twice instead of three times, and at
// stride 2 on average 1.25 instead of 1.5 times. Stride, dilation and the place in the row are only distances between
// vectors. Where padding is zero, rows and columns outside the picture are left out, and float pictures of this layout
// are read in place.
//
// A depthwise layer has few multiply-adds per byte of memory, so it pays to read and write each pixel only once.
// `rows`, in contrast, separates the channels into planes and interleaves them again. So this algorithm is faster where
// channels are interleaved and fill a vector. XNNPACK and oneDNN cut depthwise convolutions the same way.
//
// Applies when the input channels, the output channels and the groups are equal in number, and float sums are allowed
// (weights.h). The error is that of direct: n * 2^-24 * sum|x||w|.

#include <algorithm>
#include <vector>

#include "conv/algorithms/depthwise/depthwise_sums.h"
#include "conv/engine/algorithm.h"
#include "conv/engine/filled_weights.h"
#include "conv/engine/limits.h"
#include "conv/engine/simd.h"
#include "conv/engine/weights.h"
#include "conv/input/channel_strips.h"
#include "conv/input/tap_groups.h"
#include "core/whole_division.h"

namespace convtool {
namespace {

/// Output rows that are computed together.
std::int64_t rows_at_once(const ConvProblem& problem) {
  const bool in_pairs = problem.kernel.kh == 3 && problem.kernel.kw == 3 && problem.dilation == Extent{} &&
                        problem.stride.h == problem.stride.w && problem.stride.w <= 2;
  return in_pairs && ChannelStrips::bytes(problem, 2) <= kMostStripMemory ? 2 : 1;
}

std::int64_t filled_channels(const ConvProblem& problem) {
  return ceil_divided(problem.kernel.c_o, float_lanes()) * float_lanes();
}

class DepthwiseExecutor final : public Executor {
 public:
  DepthwiseExecutor(const ConvProblem& problem, const Kernel& kernel)
      : problem_(problem),
        out_(output_shape(problem)),
        rows_at_once_(rows_at_once(problem)),
        skip_outside_(padding_adds_nothing(problem, kernel)),
        row_taps_((skip_outside_ ? TapGroups::inside(problem) : TapGroups::all(problem)).rows),
        there_(skip_outside_ ? Range{problem.pads.left, problem.pads.left + problem.input.w}
                             : Range{0, ChannelStrips::width(problem)}),
        pitch_(filled_channels(problem)) {
    const KernelShape& k = problem.kernel;
    weights_ = Tensor(DType::f32, {1, k.kh, k.kw, pitch_});
    float* to = weights_.data<float>();
    for (std::int64_t tap = 0; tap < k.kh * k.kw; ++tap) {
      for (std::int64_t c = 0; c < pitch_; ++c) *to++ = c < out_.c ? kernel.taps(c, 0)[tap] : 0.0F;
    }
  }

  /// Output rows, or pairs of them, through the batch.
  std::int64_t work_items(const Sink&) const override { return out_.n * items_down(); }

  void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const override {
    ChannelStrips strips(
        problem_, input,
        {.output_rows = rows_at_once_, .with_borders = !skip_outside_, .with_slack = pitch_ != out_.c});
    const bool in_place =
        pitch_ == out_.c && sink.strides().c == 1 && sink.strides().w == pitch_ && sink.place_of({}, 0) != nullptr;
    Tensor sums(DType::f32, {1, rows_at_once_, in_place ? 0 : out_.w, pitch_});  // aligned
    const std::unique_ptr<float[]> rows = sink.pixel_rows();
    std::vector<const float*> inputs(
        static_cast<std::size_t>(problem_.kernel.kh + (rows_at_once_ - 1) * problem_.stride.h));
    for (Range item; !(item = share.take()).is_empty();) {
      const std::int64_t n = item.begin / items_down(), i = item.begin % items_down() * rows_at_once_;
      const std::int64_t count = std::min(rows_at_once_, out_.h - i);
      const auto span_of = [&](std::int64_t row) { return RowSpan{.n = n, .y = i + row, .x = 0, .count = out_.w}; };
      const auto place_of = [&](std::int64_t row) {
        return in_place ? sink.place_of(span_of(row), 0) : sums.data<float>() + row * out_.w * pitch_;
      };
      SeenSums seen;
      if (count == 2)
        sum_pair(n, i, strips, inputs.data(), place_of(0), place_of(1), in_place ? &seen : nullptr);
      else
        sum_row(n, i, strips, inputs.data(), place_of(0), in_place ? &seen : nullptr);
      if (in_place && seen.is_finite()) {
        seen.merge_into(stats);
        continue;
      }
      for (std::int64_t row = 0; row < count; ++row)
        sink.finish_pixels(span_of(row), 0, out_.c, place_of(row), pitch_, rows.get(), stats);
    }
  }

 private:
  /// `inputs` has room for a pointer per input row.
  void sum_row(std::int64_t n, std::int64_t i, ChannelStrips& strips, const float** inputs, float* sums,
               SeenSums* seen) const {
    const KernelShape& k = problem_.kernel;
    const Range taps = std::find_if(row_taps_.begin(), row_taps_.end(), [i](const TapGroup& group) {
                         return i < group.positions.end;
                       })->taps;
    std::int64_t first = 0;
    for (std::int64_t u = taps.begin; u < taps.end; ++u) {
      const ChannelStrip strip = strips.row(n, i * problem_.stride.h - problem_.pads.top + u * problem_.dilation.h);
      inputs[u - taps.begin] = strip.floats;
      first = strip.first;  // the same for all of them
    }
    sum_depthwise({.inputs = inputs,
                   .first = first,
                   .there = there_,
                   .column = strips.step(),
                   .weights = weights_.data<float>() + taps.begin * k.kw * pitch_,
                   .kh = taps.end - taps.begin,
                   .kw = k.kw,
                   .stride = problem_.stride.w,
                   .dilation = problem_.dilation.w,
                   .pixels = out_.w,
                   .pitch = pitch_},
                  sums, seen);
  }

  void sum_pair(std::int64_t n, std::int64_t i, ChannelStrips& strips, const float** inputs, float* top, float* bottom,
                SeenSums* seen) const {
    const std::int64_t stride = problem_.stride.w;
    std::int64_t first = 0;
    for (std::int64_t u = 0; u < stride + 3; ++u) {
      const std::int64_t y = i * stride - problem_.pads.top + u;
      const bool is_skipped = skip_outside_ && (y < 0 || y >= problem_.input.h);
      const ChannelStrip strip = is_skipped ? ChannelStrip{} : strips.row(n, y);
      inputs[u] = strip.floats;
      if (!is_skipped) first = strip.first;  // the same for all of them
    }
    sum_depthwise_pair({.inputs = inputs,
                        .first = first,
                        .there = there_,
                        .column = strips.step(),
                        .weights = weights_.data<float>(),
                        .kh = 3,
                        .kw = 3,
                        .stride = stride,
                        .pixels = out_.w,
                        .pitch = pitch_},
                       top, bottom, seen);
  }

  std::int64_t items_down() const { return (out_.h + rows_at_once_ - 1) / rows_at_once_; }

  const ConvProblem& problem_;
  const Shape out_;
  const std::int64_t rows_at_once_;
  const bool skip_outside_;
  const std::vector<TapGroup> row_taps_;
  const Range there_;         // padded columns that are read
  const std::int64_t pitch_;  // channels in whole vectors
  Tensor weights_;
};

/// In nanoseconds, fitted to 3x3 over 32 channels at 112x112 and 512 at 14x14 with AVX-512, AVX2 and SSE4. A vector
/// that channels do not fill costs as much as a full one, and a few channels are faster in planes (rows.cpp), even with
/// short vectors.
double cost(const ConvProblem& problem) {
  const std::int64_t channels = problem.input.c, lanes = std::max<std::int64_t>(float_lanes(), 8);
  const double filled = static_cast<double>(channels) / static_cast<double>((channels + lanes - 1) / lanes * lanes);
  return 1000 +
         (0.2 / static_cast<double>(float_lanes()) * mac_count(problem) +
          (problem.output_channels_last ? 0.2 : 0.5) * static_cast<double>(output_shape(problem).count())) /
             filled +
         (problem.input_channels_last ? 0.1 : 0.5) * static_cast<double>(problem.input.count());
}

/// The floats of the weights, whose channels are filled up to whole vectors all together.
double kept_floats(const ConvProblem& problem) {
  return static_cast<double>(problem.kernel.taps()) * static_cast<double>(filled_channels(problem));
}

/// Strips, which may fill the cache with more of them, a row of pixels before they are interleaved, and rows of sums.
double thread_memory(const ConvProblem& problem) {
  const auto channels = static_cast<double>(problem.input.c + 2 * float_lanes());
  const std::int64_t rows = rows_at_once(problem);
  return ChannelStrips::bytes(problem, rows) + static_cast<double>(kCacheBytes) +
         4 * channels * static_cast<double>(problem.input.w + rows * output_shape(problem).w);
}

}  // namespace

const Algorithm kDepthwise = {
    .name = "depthwise",
    .threaded = true,
    .can_choose = true,
    .consider = [](const ConvProblem& problem, const Kernel& kernel) -> Offer {
      if (problem.groups != problem.input.c || problem.groups != problem.kernel.c_o)
        return refuse("the numbers of groups, input channels and output channels differ");
      if (ChannelStrips::bytes(problem, 1) > kMostStripMemory) return refuse(kBeyondStripMemory);
      if (fills_up_too_much(problem, kept_floats(problem))) return refuse(kFillsUpTooMuch);
      if (!float_sums_suffice(problem, kernel)) return refuse(kBeyondFloat);
      return {.nanoseconds = cost(problem),
              .thread_memory = thread_memory(problem),
              .sum_memory = kPixelRowBytes,
              .make = [&problem, &kernel] { return std::make_unique<DepthwiseExecutor>(problem, kernel); }};
    },
};

}  // namespace convtool
