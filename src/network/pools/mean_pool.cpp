// As a max pool (max_pool.cpp), a mean pool adds up the columns of a window first, and then those sums along the row.
// All channels of a pixel that is interleaved are processed together, so that reads stay in order.

#include "network/pools/mean_pool.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "conv/sink.h"
#include "network/pools/pool_run.h"

namespace convtool {
namespace {

/// The positions inside [0, size) that the window of output `j` covers along an axis.
Range covered(std::int64_t j, std::int64_t stride, std::int64_t pad, std::int64_t extent, std::int64_t size) {
  const std::int64_t begin = j * stride - pad, first = std::clamp<std::int64_t>(begin, 0, size);
  return {first, std::clamp(begin + extent, first, size)};
}

class RowAverager {
 public:
  RowAverager(const ConvProblem& windows, const Pads& pads, bool counts_padding, const ConstTensorRef& input,
              const Sink& sink)
      : windows_(windows),
        pads_(pads),
        counts_padding_(counts_padding),
        input_(input),
        out_(output_shape(windows)),
        together_(std::abs(input.strides.c) < std::abs(input.strides.w) ? input.shape.c : 1),
        columns_(static_cast<std::size_t>(input.shape.w * together_)),
        means_(static_cast<std::size_t>(out_.w)),
        sink_(sink) {}

  /// Computes output row `i` of picture `n`, in every channel.
  void run(std::int64_t n, std::int64_t i, ResponseStats& stats) {
    const std::int64_t rows =
        divided_by(i, windows_.stride.h, windows_.kernel.kh, input_.shape.h, pads_.top, pads_.bottom, counts_padding_);
    for (std::int64_t c = 0; c < out_.c; c += together_) {
      add_columns(n, c, i);
      for (std::int64_t k = 0; k < together_; ++k) {
        find_means(k, rows);
        sink_.finish({.n = n, .y = i, .x = 0, .count = out_.w}, c + k, means_.data(), out_.w, stats);
      }
    }
  }

 private:
  void add_columns(std::int64_t n, std::int64_t c, std::int64_t i) {
    std::fill(columns_.begin(), columns_.end(), 0.0);
    const Range rows = covered(i, windows_.stride.h, windows_.pads.top, windows_.kernel.kh, input_.shape.h);
    visit_dtype(input_.dtype, [&]<class T>(T) {
      const auto view = input_.view<T>();
      const std::int64_t width = input_.shape.w;
      for (std::int64_t y = rows.begin; y < rows.end; ++y) {
        const T* from = view.row(n, c, y);
        for (std::int64_t x = 0; x < width; ++x)
          for (std::int64_t k = 0; k < together_; ++k)
            columns_[static_cast<std::size_t>(x * together_ + k)] +=
                static_cast<double>(from[x * view.strides.w + k * view.strides.c]);
      }
    });
  }

  void find_means(std::int64_t k, std::int64_t rows) {
    for (std::int64_t j = 0; j < out_.w; ++j) {
      const Range seen = covered(j, windows_.stride.w, windows_.pads.left, windows_.kernel.kw, input_.shape.w);
      double sum = 0;
      for (std::int64_t x = seen.begin; x < seen.end; ++x) sum += columns_[static_cast<std::size_t>(x * together_ + k)];
      const std::int64_t columns = divided_by(j, windows_.stride.w, windows_.kernel.kw, input_.shape.w, pads_.left,
                                              pads_.right, counts_padding_);
      means_[static_cast<std::size_t>(j)] = sum / static_cast<double>(rows * columns);
    }
  }

  const ConvProblem& windows_;
  const Pads& pads_;
  const bool counts_padding_;
  const ConstTensorRef& input_;
  const Shape out_;
  const std::int64_t together_;  // channels that are processed at once
  std::vector<double> columns_;  // [pixel][together_]
  std::vector<double> means_;
  const Sink& sink_;
};

}  // namespace

std::int64_t divided_by(std::int64_t j, std::int64_t stride, std::int64_t extent, std::int64_t in,
                        std::int64_t pad_begin, std::int64_t pad_end, bool counts_padding) {
  const std::int64_t begin = j * stride - pad_begin;
  if (counts_padding) return std::min(begin + extent, in + pad_end) - begin;
  return std::min(begin + extent, in) - std::max<std::int64_t>(begin, 0);
}

MeanPool::MeanPool(const ConvProblem& windows, const Pads& pads, bool counts_padding, const Epilogue& epilogue,
                   const PlanOptions& options)
    : windows_(windows),
      pads_(pads),
      counts_padding_(counts_padding),
      epilogue_(epilogue),
      threads_(pool_threads(windows, options)),
      totals_(options.totals) {
  require(windows.dilation == Extent{}, "a mean pool with gaps");
}

double MeanPool::expected_nanoseconds(const ConvProblem& windows, const PlanOptions&) {
  // An addition in double for each input of a window's rows, and for each column of a window; by the same in any
  // layout.
  const auto inputs = static_cast<double>(windows.input.count());
  const double overlap = static_cast<double>(windows.kernel.kh) / static_cast<double>(windows.stride.h);
  return 0.5 * (inputs * overlap + static_cast<double>(output_shape(windows).count() * windows.kernel.kw));
}

ResponseStats MeanPool::run(const ConstTensorRef& input, const TensorRef& output, const ValueMap& map) const {
  const Shape out = output_shape(windows_);
  require(output.shape == out, "an output of another shape than the pool's");
  require(input.shape == windows_.input && input.dtype == windows_.input_dtype,
          "an input of another shape than the pool's");
  const Sink sink(epilogue_, map, no_change(out.c), output, false, totals_);
  return run_pool(windows_, threads_, [&] { return RowAverager(windows_, pads_, counts_padding_, input, sink); });
}

double MeanPool::thread_memory() const {  // a row of column sums, and one of means
  return 8 * static_cast<double>(windows_.input.c * windows_.input.w + convtool::output_shape(windows_).w);
}

ResponseStats MeanPool::measure(const ConstTensorRef& input, const Strides& output) const {
  return run(input, {.data = nullptr, .dtype = DType::f32, .shape = output_shape(windows_), .strides = output}, {});
}

}  // namespace convtool
