#include "edges/noise.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "conv/padding.h"
#include "core/largest.h"
#include "core/parallel.h"

namespace convtool {
namespace {

/// The largest of each window of 2 * reach + 1 values, in place; `row` has `reach` zeros before and after its values.
/// Windows grow by doubling.
void widen(std::vector<float>& row, std::int64_t reach) {
  const std::int64_t count = std::ssize(row), length = 2 * reach + 1;
  const auto join = [&](std::int64_t distance) {
    float* const values = row.data();
    for (std::int64_t x = 0; x + distance < count; ++x) values[x] = std::max(values[x], values[x + distance]);
  };
  std::int64_t covered = 1;
  for (; 2 * covered <= length; covered *= 2) join(covered);
  if (covered < length) join(length - covered);
}

void clear(float& value, float bound) {
  if (std::fabs(value) <= bound) value = 0;
}

/// `unit` is the bound for values of at most 1.
void clear_by_windows(const ConvProblem& problem, double unit, const TensorView<const float>& input,
                      const TensorView<float>& responses, int threads) {
  const Extent window = dilated_kernel(problem.kernel, problem.dilation);  // mirrored pixels lie within it, too
  const auto padding = std::fabs(problem.padding_value);
  for_each_row(responses.shape, threads, [&](std::int64_t n, std::int64_t y) {
    std::vector<float> largest(static_cast<std::size_t>(input.shape.w + 2 * window.w));
    const std::int64_t first = std::max<std::int64_t>(y - window.h, 0),
                       last = std::min(y + window.h, input.shape.h - 1);
    for (std::int64_t c = 0; c < input.shape.c; ++c) {
      std::fill(largest.begin(), largest.end(), padding);
      for (std::int64_t row = first; row <= last; ++row)
        for (std::int64_t x = 0; x < input.shape.w; ++x) {
          float& so_far = largest[static_cast<std::size_t>(x + window.w)];
          const float value = std::fabs(input.at(n, c, row, x));
          if (value > so_far && std::isfinite(value)) so_far = value;
        }
      widen(largest, window.w);
      for (std::int64_t x = 0; x < responses.shape.w; ++x)
        clear(responses.at(n, c, y, x),
              static_cast<float>(unit * static_cast<double>(largest[static_cast<std::size_t>(x)])));
    }
  });
}

}  // namespace

void clear_noise(const ConvPlan& plan, const ConstTensorRef& input, const TensorRef& responses, int threads) {
  const double unit = plan.error_bound(1);
  if (unit == 0) return;
  require(input.shape == responses.shape, "a response for every value");
  const auto out = responses.view<float>();
  if (input.dtype == DType::f32 && plan.problem().padding_mode != PaddingMode::circular)
    return clear_by_windows(plan.problem(), unit, input.view<float>(), out, threads);
  const auto bound = static_cast<float>(plan.error_bound(largest_magnitude(input, threads)));
  for_each_row(out.shape, threads, [&](std::int64_t n, std::int64_t y) {
    for (std::int64_t c = 0; c < out.shape.c; ++c)
      for (std::int64_t x = 0; x < out.shape.w; ++x) clear(out.at(n, c, y, x), bound);
  });
}

}  // namespace convtool
