#include "learn/input_gradient.h"

#include <algorithm>

#include "conv/padding.h"
#include "conv/plan.h"
#include "core/parallel.h"

namespace convtool {
namespace {

/// `dy` with stride - 1 zeros between neighbours: where the outputs of a layer of stride 1 would stand.
Tensor spread(const TensorView<const float>& dy, const Extent& stride) {
  const Shape& from = dy.shape;
  Tensor result(DType::f32, {from.n, from.c, (from.h - 1) * stride.h + 1, (from.w - 1) * stride.w + 1});
  std::fill_n(result.data<float>(), result.shape().count(), 0.0F);
  const TensorView<float> to = result.ref().view<float>();
  for (std::int64_t n = 0; n < from.n; ++n)
    for (std::int64_t c = 0; c < from.c; ++c)
      for (std::int64_t i = 0; i < from.h; ++i)
        for (std::int64_t j = 0; j < from.w; ++j) to.at(n, c, i * stride.h, j * stride.w) = dy.at(n, c, i, j);
  return result;
}

/// The kernel that takes outputs back to inputs: input and output channels of each group change places, and taps are
/// turned by 180 degrees.
Kernel transposed(const Kernel& kernel, std::int64_t groups) {
  const KernelShape& from = kernel.shape;
  const std::int64_t outputs = from.c_o / groups, inputs = from.c_i_per_group, block = from.kh * from.kw;
  Kernel result{.shape = {inputs * groups, outputs, from.kh, from.kw}, .weights = {}, .bias = {}};
  for (std::int64_t c = 0; c < inputs * groups; ++c)
    for (std::int64_t o = 0; o < outputs; ++o) {
      const float* taps = kernel.taps(c / inputs * outputs + o, c % inputs);
      result.weights.insert(result.weights.end(), std::reverse_iterator(taps + block), std::reverse_iterator(taps));
    }
  result.bias.assign(static_cast<std::size_t>(result.shape.c_o), 0.0F);
  return result;
}

/// Adds every pixel of the padded input to the one of the input that it shows. `padded` begins at the padded input's
/// first row and column, and ends with the last that an output sees.
Tensor fold_padding(const ConvProblem& problem, const TensorView<const float>& padded, int threads) {
  Tensor result(DType::f32, problem.input);
  const TensorView<float> to = result.ref().view<float>();
  const Shape planes{.n = problem.input.n, .c = 1, .h = problem.input.c, .w = 1};
  for_each_row(planes, threads, [&](std::int64_t n, std::int64_t c) {
    std::fill_n(to.row(n, c, 0), problem.input.h * problem.input.w, 0.0F);
    for (std::int64_t y = 0; y < padded.shape.h; ++y) {
      const std::int64_t row = pad_index(problem.padding_mode, y - problem.pads.top, problem.input.h);
      if (row == kOutside) continue;
      const float* from = padded.row(n, c, y);
      float* sums = to.row(n, c, row);
      for (std::int64_t x = 0; x < padded.shape.w; ++x) {
        const std::int64_t column = pad_index(problem.padding_mode, x - problem.pads.left, problem.input.w);
        if (column != kOutside) sums[column] += from[x];
      }
    }
  });
  return result;
}

}  // namespace

Tensor input_gradient(const ConvProblem& problem, const Kernel& kernel, const ConstTensorRef& dy, int threads) {
  require(dy.shape == output_shape(problem) && kernel.divisor.empty(), "a gradient of another problem");
  const Tensor outputs = spread(dy.view<float>(), problem.stride);
  const Kernel back = transposed(kernel, problem.groups);
  const ConvParams params{
      .dilation = problem.dilation, .padding = {.rule = Padding::Rule::full, .pads = {}}, .groups = problem.groups};
  const ConvProblem of_padded = make_problem(DType::f32, outputs.shape(), back.shape, params);
  Tensor padded(DType::f32, output_shape(of_padded));
  ConvPlan(of_padded, back, {}, {.threads = threads}).run(outputs.ref(), padded.ref());
  return fold_padding(problem, std::as_const(padded).ref().view<float>(), threads);
}

}  // namespace convtool
