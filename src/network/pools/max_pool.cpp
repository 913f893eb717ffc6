// A max pool finds the largest value of each column of a window first, and then the largest of those along the row.
// That takes kh + kw steps per output, where a window has kh * kw values. With channels last, all channels of a pixel
// are processed together, so that reads stay in order.

#include "network/pools/max_pool.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "conv/bands.h"
#include "conv/padding.h"
#include "conv/sink.h"
#include "network/pools/pool_run.h"

namespace convtool {
namespace {

/// `value` if it is larger than `most` or NaN, else `most`. A NaN in `most` stays, since no value is larger.
float larger(float value, float most) { return ((value > most) | (value != value)) ? value : most; }

/// A range of neighbouring channels. A row of their values is stored as [x * count + k].
struct ChannelRange {
  std::int64_t first = 0, count = 1;
};

template <class T>
void raise_to_row(const TensorView<const T>& in, std::int64_t n, ChannelRange channels, std::int64_t y, float* most) {
  const T* from = in.row(n, channels.first, y);
  const std::int64_t step = in.strides.w, c_step = in.strides.c, width = in.shape.w, count = channels.count;
  if (step == count && (count == 1 || c_step == 1)) {
    for (std::int64_t i = 0; i < width * count; ++i) most[i] = larger(static_cast<float>(from[i]), most[i]);
    return;
  }
  for (std::int64_t x = 0; x < width; ++x)
    for (std::int64_t k = 0; k < count; ++k)
      most[x * count + k] = larger(static_cast<float>(from[x * step + k * c_step]), most[x * count + k]);
}

/// Raises each output `j` in [begin, end) to the value of column first + j * stride, if that is larger. The compiler
/// vectorizes it where the stride is a constant.
template <class Stride>
void raise_in_steps(const float* columns, std::int64_t first, std::int64_t begin, std::int64_t end, float* most,
                    Stride stride) {
  for (std::int64_t j = begin; j < end; ++j) most[j] = larger(columns[first + j * stride], most[j]);
}

void raise_to_columns(const float* columns, std::int64_t first, std::int64_t begin, std::int64_t end, float* most,
                      std::int64_t stride) {
  switch (stride) {
    case 1: return raise_in_steps(columns, first, begin, end, most, std::integral_constant<std::int64_t, 1>());
    case 2: return raise_in_steps(columns, first, begin, end, most, std::integral_constant<std::int64_t, 2>());
    case 3: return raise_in_steps(columns, first, begin, end, most, std::integral_constant<std::int64_t, 3>());
    default: return raise_in_steps(columns, first, begin, end, most, stride);
  }
}

/// The taps of the window of output `j` that lie inside [0, size) along an axis, where its first tap is at `first`.
struct Window {
  std::int64_t first;
  Range taps;
};

Window window(std::int64_t j, std::int64_t stride, std::int64_t pad, std::int64_t taps, std::int64_t dilation,
              std::int64_t size) {
  const std::int64_t first = j * stride - pad;
  const std::int64_t begin = first >= 0 ? 0 : std::min(taps, (-first + dilation - 1) / dilation);
  const std::int64_t end = first >= size ? begin : std::clamp((size - first - 1) / dilation + 1, begin, taps);
  return {first, {begin, end}};
}

class RowPooler {
 public:
  RowPooler(const ConvProblem& windows, const ConstTensorRef& input, const Sink& sink)
      : windows_(windows),
        input_(input),
        out_(output_shape(windows)),
        together_(std::abs(input.strides.c) < std::abs(input.strides.w) ? input.shape.c : 1),
        columns_(static_cast<std::size_t>(input.shape.w * together_)),
        pooled_(static_cast<std::size_t>(out_.w * together_)),
        sink_(sink),
        pixel_rows_(sink.pixel_rows()) {}

  /// Computes output row `i` of picture `n`, in every channel.
  void run(std::int64_t n, std::int64_t i, ResponseStats& stats) {
    const RowSpan span{.n = n, .y = i, .x = 0, .count = out_.w};
    for (std::int64_t c = 0; c < out_.c; c += together_) {
      find_columns(n, c, i);
      find_windows();
      if (together_ == 1)
        sink_.finish(span, c, pooled_.data(), out_.w, stats);
      else
        sink_.finish_pixels(span, 0, out_.c, pooled_.data(), out_.c, pixel_rows_.get(), stats);
    }
  }

 private:
  void find_columns(std::int64_t n, std::int64_t c, std::int64_t i) {
    std::fill(columns_.begin(), columns_.end(), -std::numeric_limits<float>::infinity());
    const Window rows =
        window(i, windows_.stride.h, windows_.pads.top, windows_.kernel.kh, windows_.dilation.h, input_.shape.h);
    visit_dtype(input_.dtype, [&]<class T>(T) {
      const auto view = input_.view<T>();
      for (std::int64_t u = rows.taps.begin; u < rows.taps.end; ++u)
        raise_to_row(view, n, {c, together_}, rows.first + u * windows_.dilation.h, columns_.data());
    });
  }

  void find_windows() {
    const bool is_wide = windows_.kernel.kw > input_.shape.w;  // most columns of a window are padding
    if (together_ == 1 && !is_wide) return find_windows_of_plane();
    for (std::int64_t j = 0; j < out_.w; ++j) {
      const Window seen =
          window(j, windows_.stride.w, windows_.pads.left, windows_.kernel.kw, windows_.dilation.w, input_.shape.w);
      float* most = pooled_.data() + j * together_;
      std::fill_n(most, together_, -std::numeric_limits<float>::infinity());
      for (std::int64_t v = seen.taps.begin; v < seen.taps.end; ++v) {
        const float* from = columns_.data() + (seen.first + v * windows_.dilation.w) * together_;
        for (std::int64_t k = 0; k < together_; ++k) most[k] = larger(from[k], most[k]);
      }
    }
  }

  /// Goes through the columns of a window one by one, each for all windows at once, so that outputs fill vectors.
  void find_windows_of_plane() {
    const std::int64_t stride = windows_.stride.w, width = input_.shape.w;
    std::fill(pooled_.begin(), pooled_.end(), -std::numeric_limits<float>::infinity());
    for (std::int64_t v = 0; v < windows_.kernel.kw; ++v) {
      const std::int64_t first = v * windows_.dilation.w - windows_.pads.left;  // the column that output 0 sees there
      const std::int64_t begin = first >= 0 ? 0 : (-first + stride - 1) / stride;
      const std::int64_t end = std::min(out_.w, (width - first + stride - 1) / stride);
      raise_to_columns(columns_.data(), first, begin, end, pooled_.data(), stride);
    }
  }

  const ConvProblem& windows_;
  const ConstTensorRef& input_;
  const Shape out_;
  const std::int64_t together_;          // channels that are processed at once
  std::vector<float> columns_, pooled_;  // [pixel][together_]
  const Sink& sink_;
  const std::unique_ptr<float[]> pixel_rows_;
};

ResponseStats pool(const ConvProblem& windows, const ConstTensorRef& input, const Sink& sink, int threads) {
  require(input.shape == windows.input && input.dtype == windows.input_dtype,
          "an input of another shape than the pool's");
  return run_pool(windows, threads, [&] { return RowPooler(windows, input, sink); });
}

}  // namespace

MaxPool::MaxPool(const ConvProblem& windows, const Epilogue& epilogue, const PlanOptions& options)
    : windows_(windows), epilogue_(epilogue), threads_(pool_threads(windows, options)), totals_(options.totals) {}

MaxPool MaxPool::band(const Range& rows, int threads) const {
  return MaxPool(band_problem(windows_, rows), epilogue_, {.threads = threads, .totals = totals_});
}

double MaxPool::expected_nanoseconds(const ConvProblem& windows, const PlanOptions& options) {
  // Fitted to windows of 2x2 and 3x3 with stride 2 on 3 to 64 channels, on a Zen 5 with AVX-512. With channels last,
  // the channels of a pixel fill vectors, unless there are few.
  const auto inputs = static_cast<double>(windows.input.count()), channels = static_cast<double>(windows.input.c);
  const bool moves = options.input_channels_last != options.output_channels_last;
  return inputs * (options.input_channels_last ? 0.15 + 4 / channels : 0.45) +
         (moves ? 0.4 * static_cast<double>(output_shape(windows).count()) : 0);
}

ResponseStats MaxPool::run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map) const {
  require(output.data != nullptr && output.shape == output_shape(windows_),
          "an output of another shape than the pool's");
  const Sink sink(epilogue_, map, no_change(output.shape.c), output, is_integer(input.dtype), totals_);
  return pool(windows_, input, sink, threads_);
}

double MaxPool::thread_memory() const {  // a row of the largest values in columns, and one in windows
  return 4 * static_cast<double>(windows_.input.c) *
         static_cast<double>(windows_.input.w + convtool::output_shape(windows_).w);
}

ResponseStats MaxPool::measure(const ConstTensorRef& input, const Strides& output) const {
  const TensorRef nowhere{.data = nullptr, .dtype = DType::f32, .shape = output_shape(windows_), .strides = output};
  return pool(windows_, input,
              Sink(epilogue_, {}, no_change(nowhere.shape.c), nowhere, is_integer(input.dtype), totals_), threads_);
}

}  // namespace convtool
