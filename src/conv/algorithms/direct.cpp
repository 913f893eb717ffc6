// direct: one pass per tap over an output row, with pixels read in place. It supports every problem, and other
// algorithms have to be faster than it.
//
// For each output row, the sums are kept in an array as wide as the row. Each tap adds weight * pixel to all of them.
// Outputs whose pixel lies inside the picture (padding.h, interior()) take one plain loop. The few at the borders are
// handled one by one, through pad_index(). Nothing is copied; stride, dilation and layout are only pointer steps:
//
//          border      interior: src[j*step]     border
//   sums  |------|------------------------------|------|   += weight * pixel
//
// Threads share the output rows. One thread computes each output, in one order of taps (channel, row, column), so the
// result has the same bits for any number of threads.
//
// The type of the sums depends on the input:
// - f32 is summed in float. With n taps and u = 2^-24 the sum is within n*u*sum|x||w| of the true one (each product and
//   each addition rounds once; Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1). This
//   leaves room within the promised (n + 4)*u*sum|x||w| for the rounding of the bias and of the store. Partial sums
//   beyond float's range, 3.4e38, become infinite, even where later terms would have brought them back.
// - u8 and u16 are summed in float while max|x| * sum|w| stays below 2^24 (weights.h), so that integer weights give
//   exact sums. Beyond that they are summed in double, which is exact for integer weights up to sums of 2^53.

#include <algorithm>
#include <vector>

#include "conv/engine/algorithm.h"
#include "conv/engine/simd.h"
#include "conv/engine/weights.h"
#include "conv/padding.h"

namespace convtool {
namespace {

class DirectExecutor final : public Executor {
 public:
  DirectExecutor(const ConvProblem& problem, const Kernel& kernel)
      : problem_(problem),
        kernel_(kernel),
        out_(output_shape(problem)),
        float_sums_(float_sums_suffice(problem, kernel)) {}

  std::int64_t work_items(const Sink&) const override { return out_.n * out_.h; }  // output rows, through the batch

  void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const override {
    visit_dtype(input.dtype, [&]<class In>(In) {
      if (float_sums_)
        run_typed<float>(input.view<In>(), sink, share, stats);
      else
        run_typed<double>(input.view<In>(), sink, share, stats);
    });
  }

 private:
  template <class Sum, class In>
  void run_typed(const TensorView<const In>& x, const Sink& sink, WorkShare& share, ResponseStats& stats) const {
    const std::int64_t joined = sink.combine_count();
    std::vector<Sum> sums(static_cast<std::size_t>(joined * out_.w + kRowSlack));  // finish() may read past the end
    for (Range row; !(row = share.take()).is_empty();) {
      const std::int64_t n = row.begin / out_.h, i = row.begin % out_.h;
      for (std::int64_t c = 0; c < sink.output_channels(); ++c) {
        std::fill(sums.begin(), sums.end(), Sum{0});
        for (std::int64_t k = 0; k < joined; ++k) sum_row(x, n, c * joined + k, i, sums.data() + k * out_.w);
        sink.finish({.n = n, .y = i, .x = 0, .count = out_.w}, c, sums.data(), out_.w, stats);
      }
    }
  }

  /// Adds all taps of sum channel `o` for output row `i` to `sums`.
  template <class Sum, class In>
  void sum_row(const TensorView<const In>& x, std::int64_t n, std::int64_t o, std::int64_t i, Sum* sums) const {
    const KernelShape& k = kernel_.shape;
    const std::int64_t group = o / (k.c_o / problem_.groups);
    for (std::int64_t c = 0; c < k.c_i_per_group; ++c) {
      for (std::int64_t u = 0; u < k.kh; ++u) {
        const std::int64_t y = pad_index(
            problem_.padding_mode, i * problem_.stride.h - problem_.pads.top + u * problem_.dilation.h, x.shape.h);
        const In* row = y == kOutside ? nullptr : x.row(n, group * k.c_i_per_group + c, y);
        const float* weights = kernel_.taps(o, c) + u * k.kw;
        for (std::int64_t v = 0; v < k.kw; ++v) add_tap(row, x, v, static_cast<Sum>(weights[v]), sums);
      }
    }
  }

  /// sums[j] += weight * (the pixel of `row` that column `v` of the kernel sees at output j). A null `row` lies
  /// outside.
  template <class Sum, class In>
  void add_tap(const In* row, const TensorView<const In>& x, std::int64_t v, Sum weight, Sum* sums) const {
    const Sum outside = weight * static_cast<Sum>(problem_.padding_value);
    if (row == nullptr) {
      for (std::int64_t j = 0; j < out_.w; ++j) sums[j] += outside;
      return;
    }
    const std::int64_t offset = v * problem_.dilation.w - problem_.pads.left;
    const Range inside = interior(out_.w, x.shape.w, problem_.stride.w, offset);
    const auto add_border = [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t j = begin; j < end; ++j) {
        const std::int64_t at = pad_index(problem_.padding_mode, j * problem_.stride.w + offset, x.shape.w);
        sums[j] += at == kOutside ? outside : weight * static_cast<Sum>(row[at * x.strides.w]);
      }
    };
    add_border(0, inside.begin);
    if (inside.begin < inside.end) {
      add_interior(row + (inside.begin * problem_.stride.w + offset) * x.strides.w, problem_.stride.w * x.strides.w,
                   weight, sums + inside.begin, inside.end - inside.begin);
    }
    add_border(inside.end, out_.w);
  }

  template <class Sum, class In>
  static void add_interior(const In* src, std::int64_t step, Sum weight, Sum* sums, std::int64_t count) {
    if (step == 1) {  // a loop of its own, which the compiler vectorises
      for (std::int64_t j = 0; j < count; ++j) sums[j] += weight * static_cast<Sum>(src[j]);
    } else {
      for (std::int64_t j = 0; j < count; ++j) sums[j] += weight * static_cast<Sum>(src[j * step]);
    }
  }

  const ConvProblem& problem_;
  const Kernel& kernel_;
  const Shape out_;
  const bool float_sums_;
};

}  // namespace

const Algorithm kDirect = {
    .name = "direct",
    .threaded = true,
    .can_choose = true,
    .consider = [](const ConvProblem& problem, const Kernel& kernel) -> Offer {
      return {.nanoseconds = mac_count(problem),  // about 1 ns per multiply-add without SIMD
              .thread_memory =
                  static_cast<double>(sizeof(double)) * static_cast<double>(output_shape(problem).w + kRowSlack),
              .make = [&problem, &kernel] { return std::make_unique<DirectExecutor>(problem, kernel); }};
    },
};

}  // namespace convtool
