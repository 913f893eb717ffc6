// Gradient, thinning and hysteresis together are OpenCV's Canny detector on 8-bit pictures.
#include <doctest/doctest.h>

#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "edges/hysteresis.h"
#include "edges/thin.h"
#include "support/convolve.h"

namespace convtool {
namespace {

/// Edges of an 8-bit grey picture by Sobel's kernels, in the norm l1 or l2.
Tensor canny(const cv::Mat& picture, const Thresholds& thresholds, bool l2) {
  const Shape shape{1, 1, picture.rows, picture.cols};
  Tensor pixels(DType::u8, shape);
  std::copy(picture.begin<std::uint8_t>(), picture.end<std::uint8_t>(), pixels.data<std::uint8_t>());
  const Kernel sobel = kernel_of({2, 1, 3, 3}, {-1, 0, 1, -2, 0, 2, -1, 0, 1, -1, -2, -1, 0, 0, 0, 1, 2, 1});
  const ConvParams params{.padding = {.rule = Padding::Rule::same}, .padding_mode = PaddingMode::replicate};
  const ConvPlan plan(make_problem(DType::u8, shape, sobel.shape, params), sobel, {}, {});
  Tensor gradient(DType::f32, plan.output_shape()), strength(DType::f32, shape), thinned(DType::f32, shape);
  plan.run(pixels.ref(), gradient.ref());
  const float* right = gradient.data<float>();
  const float* down = right + shape.count();
  for (std::int64_t i = 0; i < shape.count(); ++i)
    strength.data<float>()[i] =
        l2 ? std::sqrt(right[i] * right[i] + down[i] * down[i]) : std::fabs(right[i]) + std::fabs(down[i]);
  thin(gradient.ref(), strength.ref(), thinned.ref());
  Tensor edges(DType::u8, shape);
  hysteresis(thinned.ref(), thresholds, edges.ref());
  return edges;
}

TEST_CASE("every pixel agrees with cv::Canny, in both norms and at several thresholds") {
  for (const char* name : {"camera.png", "coffee.png"}) {
    const cv::Mat picture = cv::imread(std::string(PROJECT_DIR) + "/samples/" + name, cv::IMREAD_GRAYSCALE);
    REQUIRE(!picture.empty());
    for (const bool l2 : {false, true})
      for (const auto& [low, high] : {std::pair(100.0, 200.0), {40.5, 90.5}, {300.0, 301.0}}) {
        CAPTURE(std::string(name));
        CAPTURE(l2);
        CAPTURE(low);
        cv::Mat wanted;
        cv::Canny(picture, wanted, low, high, 3, l2);
        const Tensor edges = canny(picture, {low, high}, l2);
        std::int64_t differing = 0, found = 0;
        for (int y = 0; y < picture.rows; ++y)
          for (int x = 0; x < picture.cols; ++x) {
            const std::uint8_t edge = edges.data<std::uint8_t>()[y * picture.cols + x];
            differing += edge != wanted.at<std::uint8_t>(y, x);
            found += edge != 0;
          }
        CHECK(found > picture.total() / 100);
        CHECK(differing == 0);
      }
  }
}

}  // namespace
}  // namespace convtool
