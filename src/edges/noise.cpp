#include "edges/noise.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "conv/padding.h"
#include "core/parallel.h"

namespace convtool {
namespace {

/// The largest of the finite absolute values in each block of kBlock x kBlock pixels of one plane.
class BlockMaxima {
 public:
  static constexpr std::int64_t kBlock = 16;

  BlockMaxima(const TensorView<const float>& input, std::int64_t n, std::int64_t c)
      : rows_(blocks(input.shape.h)),
        columns_(blocks(input.shape.w)),
        largest_(static_cast<std::size_t>(rows_ * columns_)) {
    for (std::int64_t y = 0; y < input.shape.h; ++y)
      for (std::int64_t x = 0; x < input.shape.w; ++x) {
        float& largest = largest_[static_cast<std::size_t>(y / kBlock * columns_ + x / kBlock)];
        const float value = std::fabs(input.at(n, c, y, x));
        if (value > largest && std::isfinite(value)) largest = value;
      }
  }

  static std::int64_t blocks(std::int64_t pixels) { return (pixels + kBlock - 1) / kBlock; }
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }

  /// The largest in the blocks that are no further than `reach` blocks from block (row, column).
  float around(std::int64_t row, std::int64_t column, const Extent& reach) const {
    float largest = 0;
    for (std::int64_t r = std::max<std::int64_t>(row - reach.h, 0); r <= std::min(row + reach.h, rows_ - 1); ++r)
      for (std::int64_t k = std::max<std::int64_t>(column - reach.w, 0); k <= std::min(column + reach.w, columns_ - 1);
           ++k)
        largest = std::max(largest, largest_[static_cast<std::size_t>(r * columns_ + k)]);
    return largest;
  }

 private:
  std::int64_t rows_, columns_;
  std::vector<float> largest_;
};

void clear(float& value, double bound) {
  if (std::fabs(static_cast<double>(value)) <= bound) value = 0;
}

/// Clears by a bound for each block of pixels.
void clear_blocks(const ConvPlan& plan, const TensorView<const float>& input, const TensorView<float>& responses,
                  int threads) {
  constexpr std::int64_t kBlock = BlockMaxima::kBlock;
  const ConvProblem& problem = plan.problem();
  const Extent window = dilated_kernel(problem.kernel, problem.dilation);
  // How far a response sees, up and down or to both sides. Mirrored pixels are no further away.
  const Extent reach{std::max(problem.pads.top, window.h - 1 - problem.pads.top),
                     std::max(problem.pads.left, window.w - 1 - problem.pads.left)};
  const Extent block_reach{BlockMaxima::blocks(reach.h), BlockMaxima::blocks(reach.w)};
  const double padding = std::fabs(static_cast<double>(problem.padding_value));
  const double least = plan.error_bound(0.0), slope = plan.error_bound(1.0) - least;
  const auto leaves = [](std::int64_t first, std::int64_t last, std::int64_t distance, std::int64_t size) {
    return first - distance < 0 || last + distance > size;
  };
  const Shape& shape = responses.shape;
  parallel_for(shape.n * shape.c, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane) {
      const std::int64_t n = plane / shape.c, c = plane % shape.c;
      const BlockMaxima maxima(input, n, c);
      for (std::int64_t row = 0; row < maxima.rows(); ++row)
        for (std::int64_t column = 0; column < maxima.columns(); ++column) {
          const std::int64_t top = row * kBlock, bottom = std::min(top + kBlock, shape.h);
          const std::int64_t left = column * kBlock, right = std::min(left + kBlock, shape.w);
          auto largest = static_cast<double>(maxima.around(row, column, block_reach));
          if (leaves(top, bottom, reach.h, shape.h) || leaves(left, right, reach.w, shape.w))
            largest = std::max(largest, padding);
          const double bound = least + slope * largest;
          for (std::int64_t y = top; y < bottom; ++y)
            for (std::int64_t x = left; x < right; ++x) clear(responses.at(n, c, y, x), bound);
        }
    }
  });
}

}  // namespace

void clear_noise(const ConvPlan& plan, const ConstTensorRef& input, const TensorRef& responses, int threads) {
  if (plan.error_bound(1.0) == 0) return;
  require(input.shape == responses.shape, "a response for every value");
  const auto out = responses.view<float>();
  if (input.dtype == DType::f32 && plan.problem().padding_mode != PaddingMode::circular)
    return clear_blocks(plan, input.view<float>(), out, threads);
  const double bound = plan.error_bound(input);
  for_each_row(out.shape, threads, [&](std::int64_t n, std::int64_t y) {
    for (std::int64_t c = 0; c < out.shape.c; ++c)
      for (std::int64_t x = 0; x < out.shape.w; ++x) clear(out.at(n, c, y, x), bound);
  });
}

}  // namespace convtool
