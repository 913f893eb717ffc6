#include "kernels/smoothed.h"

#include <cmath>

#include "core/text.h"
#include "kernels/generated.h"
#include "kernels/generator_formulas.h"

namespace convtool {
namespace {

/// The full convolution of `weights` with `blur`, which is symmetric.
std::vector<float> convolved(const Layer& layer, const SampledKernel& blur) {
  const Extent size{layer.shape.kh + blur.size.h - 1, layer.shape.kw + blur.size.w - 1};
  std::vector<double> sums(static_cast<std::size_t>(size.h * size.w));
  for (std::int64_t y = 0; y < layer.shape.kh; ++y)
    for (std::int64_t x = 0; x < layer.shape.kw; ++x) {
      const double weight = static_cast<double>(layer.weights[static_cast<std::size_t>(y * layer.shape.kw + x)]);
      for (std::int64_t v = 0; v < blur.size.h; ++v)
        for (std::int64_t u = 0; u < blur.size.w; ++u)
          sums[static_cast<std::size_t>((y + v) * size.w + x + u)] +=
              weight * blur.weights[static_cast<std::size_t>(v * blur.size.w + u)] / blur.divisor;
    }
  return {sums.begin(), sums.end()};
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
