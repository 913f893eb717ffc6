// Kernels with a Gaussian folded into them.
#include <doctest/doctest.h>

#include "conv/low_rank.h"
#include "kernels/kernel_source.h"
#include "kernels/smoothed.h"

namespace convtool {
namespace {

TEST_CASE("the kernels of a smoothed pair are transposes, exactly antisymmetric, and products of a column and a row") {
  for (const char* name : {"sobel", "scharr", "prewitt", "farid"})
    for (const double sigma : {0.5, 0.7, 1.0, 1.4, 2.0, 3.3, 8.0}) {
      CAPTURE(std::string(name));
      CAPTURE(sigma);
      const Bank pair = smoothed(load_kernel(name).banks.front(), sigma);
      const Layer &across = pair.layers.at(0), &down = pair.layers.at(1);
      const std::int64_t side = across.shape.kw;
      REQUIRE(across.shape == down.shape);
      REQUIRE(across.shape.kh == side);
      const auto at = [side](const Layer& layer, std::int64_t y, std::int64_t x) {
        return layer.weights[static_cast<std::size_t>(y * side + x)];
      };
      std::int64_t wrong = 0;
      for (std::int64_t y = 0; y < side; ++y)
        for (std::int64_t x = 0; x < side; ++x) {
          wrong += at(down, y, x) != at(across, x, y);
          wrong += at(across, y, x) != -at(across, y, side - 1 - x);  // so the middle column is 0
          wrong += at(across, y, x) != at(across, side - 1 - y, x);
        }
      CHECK(wrong == 0);
      for (const Layer* layer : {&across, &down})
        CHECK(outer_products(layer->weights.data(), {side, side}).size() == 1);
    }
}

}  // namespace
}  // namespace convtool
