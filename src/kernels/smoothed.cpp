#include "kernels/smoothed.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/text.h"
#include "kernels/generated.h"
#include "kernels/generator_formulas.h"

namespace convtool {
namespace {

/// The sum of `terms`, in an order that depends on their magnitudes alone. So terms that cancel in pairs give exactly
/// 0, and transposed kernels give transposed sums.
double symmetric_sum(std::vector<double>& terms) {
  std::sort(terms.begin(), terms.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); });
  double positive = 0, negative = 0;
  for (const double term : terms) (term < 0 ? negative : positive) += term;
  return positive + negative;
}

/// The full convolution of `weights` with `blur`, which is symmetric.
std::vector<float> convolved(const Layer& layer, const SampledKernel& blur) {
  const Extent size{layer.shape.kh + blur.size.h - 1, layer.shape.kw + blur.size.w - 1};
  std::vector<float> weights;
  std::vector<double> terms;
  for (std::int64_t y = 0; y < size.h; ++y)
    for (std::int64_t x = 0; x < size.w; ++x) {
      terms.clear();
      for (std::int64_t v = 0; v < layer.shape.kh; ++v)
        for (std::int64_t u = 0; u < layer.shape.kw; ++u) {
          const std::int64_t row = y - v, column = x - u;
          if (row < 0 || row >= blur.size.h || column < 0 || column >= blur.size.w) continue;
          terms.push_back(static_cast<double>(layer.weights[static_cast<std::size_t>(v * layer.shape.kw + u)]) *
                          blur.weights[static_cast<std::size_t>(row * blur.size.w + column)] / blur.divisor);
        }
      weights.push_back(static_cast<float>(symmetric_sum(terms)));
    }
  return weights;
}

}  // namespace

Bank smoothed(const Bank& bank, double sigma) {
  Bank result = bank;
  result.name += ":sigma=" + to_text(sigma);
  const double reach = std::ceil(3 * sigma);
  for (Layer& layer : result.layers) {
    require(layer.rank == 2 && layer.params.dilation == Extent{}, "a kernel that can be smoothed");
    if (2 * reach + static_cast<double>(std::max(layer.shape.kh, layer.shape.kw)) >
        static_cast<double>(kMaxGeneratedSize))
      refuse_kernel(result.name, "its kernels would be larger than " + std::to_string(kMaxGeneratedSize) +
                                     " pixels each way; choose a smaller sigma, or shrink the picture first");
    const auto side = static_cast<std::int64_t>(2 * reach + 1);
    layer.weights = convolved(layer, sample_gaussian(sigma, {side, side}));
    layer.shape.kh += side - 1;
    layer.shape.kw += side - 1;
    layer.name += ":sigma=" + to_text(sigma);
  }
  return result;
}

}  // namespace convtool
