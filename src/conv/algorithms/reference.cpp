// reference: the definition, and nothing else.
//
// The formula of problem.h, written out as seven nested loops: every tap of every output is looked up through
// pad_index() and summed in double, in the order written. It applies to every problem, uses one thread, and is never
// chosen. It exists so that every other algorithm can be compared with something plainly right
// (tests/conv/algorithms/test_algorithms.cpp), and is itself compared with hand-computed tables, PyTorch and SciPy
// (tests/conv/test_golden.cpp).
//
// Error: a double sum of n products is within n * 2^-53 * sum|x||w| of the true one, and exact for integers below 2^53.

#include <limits>
#include <vector>

#include "conv/engine/algorithm.h"
#include "conv/padding.h"

namespace convtool {
namespace {

class ReferenceExecutor final : public Executor {
 public:
  ReferenceExecutor(const ConvProblem& problem, const Kernel& kernel)
      : problem_(problem), kernel_(kernel), out_(output_shape(problem)) {}

  std::int64_t work_items(const Sink&) const override { return out_.n * out_.h; }  // output rows, through the batch

  void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const override {
    visit_dtype(input.dtype, [&]<class In>(In) { run_typed(input.view<In>(), sink, share, stats); });
  }

 private:
  template <class In>
  void run_typed(const TensorView<const In>& x, const Sink& sink, WorkShare& share, ResponseStats& stats) const {
    const std::int64_t joined = sink.combine_count();
    std::vector<double> sums(static_cast<std::size_t>(joined * out_.w));
    for (Range row; !(row = share.take()).is_empty();) {
      const std::int64_t n = row.begin / out_.h, i = row.begin % out_.h;
      for (std::int64_t c = 0; c < sink.output_channels(); ++c) {
        for (std::int64_t k = 0; k < joined; ++k) {
          for (std::int64_t j = 0; j < out_.w; ++j) {
            sums[static_cast<std::size_t>(k * out_.w + j)] = sum_at(x, n, c * joined + k, i, j);
          }
        }
        sink.finish({.n = n, .y = i, .x = 0, .count = out_.w}, c, sums.data(), out_.w, stats);
      }
    }
  }

  template <class In>
  double sum_at(const TensorView<const In>& x, std::int64_t n, std::int64_t o, std::int64_t i, std::int64_t j) const {
    const KernelShape& k = kernel_.shape;
    const std::int64_t group = o / (k.c_o / problem_.groups);
    double sum = 0;
    for (std::int64_t c = 0; c < k.c_i_per_group; ++c) {
      for (std::int64_t u = 0; u < k.kh; ++u) {
        for (std::int64_t v = 0; v < k.kw; ++v) {
          const std::int64_t y = pad_index(
              problem_.padding_mode, i * problem_.stride.h - problem_.pads.top + u * problem_.dilation.h, x.shape.h);
          const std::int64_t z = pad_index(
              problem_.padding_mode, j * problem_.stride.w - problem_.pads.left + v * problem_.dilation.w, x.shape.w);
          const double pixel = y == kOutside || z == kOutside
                                   ? static_cast<double>(problem_.padding_value)
                                   : static_cast<double>(x.at(n, group * k.c_i_per_group + c, y, z));
          sum += static_cast<double>(kernel_.taps(o, c)[u * k.kw + v]) * pixel;
        }
      }
    }
    return sum;
  }

  const ConvProblem& problem_;
  const Kernel& kernel_;
  const Shape out_;
};

}  // namespace

const Algorithm kReference = {
    .name = "reference",
    .threaded = false,
    .can_choose = false,
    .consider = [](const ConvProblem& problem, const Kernel& kernel) -> Offer {
      return {.nanoseconds = std::numeric_limits<double>::infinity(),
              .thread_memory = static_cast<double>(sizeof(double)) * static_cast<double>(output_shape(problem).w),
              .make = [&problem, &kernel] { return std::make_unique<ReferenceExecutor>(problem, kernel); }};
    },
};

}  // namespace convtool
