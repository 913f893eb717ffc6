// bench_edges: edge recipes against OpenCV's Canny, on a photograph enlarged to 3840x2160 and on noise.
//
//   cmake --preset bench && cmake --build --preset bench
//   build/bench/bench_edges PICTURE
//
// Before anything is timed, the edges are compared: both programs must agree in every pixel. All contenders work in
// memory and take turns, on one thread and then on all. The figures are medians in milliseconds.

#include <cstdio>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

#include "bench/timing.h"
#include "core/parallel.h"
#include "edges/edge_plan.h"
#include "edges/gradient.h"
#include "edges/thin.h"

namespace {

using namespace convtool;

constexpr Thresholds kThresholds = {40, 90};
constexpr double kMinSeconds = 0.5;

Bank sobel() {
  const auto layer = [](std::vector<float> weights) {
    Layer result{.name = "sobel"};
    result.shape = {1, 1, 3, 3};
    result.weights = std::move(weights);
    result.params = {.padding = {.rule = Padding::Rule::same, .pads = {}}, .padding_mode = PaddingMode::replicate};
    return result;
  };
  return {.name = "sobel",
          .layers = {layer({-1, 0, 1, -2, 0, 2, -1, 0, 1}), layer({-1, -2, -1, 0, 0, 0, 1, 2, 1})},
          .combine = Combine::magnitude};
}

/// The stages after the kernels; each one reads the result of the one before.
struct Stages {
  Stages(const ConstTensorRef& picture, int how_many)
      : threads(how_many),
        gradient(DType::f32, {1, 2, picture.shape.h, picture.shape.w}),
        strength(DType::f32, picture.shape),
        thinned(DType::f32, picture.shape),
        edges(DType::u8, picture.shape) {
    Bank components = sobel();
    components.combine = Combine::none;
    BankPlan(components, picture.dtype, picture.shape, false, {}).run(picture, gradient.ref(), {});
    measure_lengths(gradient.ref(), false, strength.ref(), threads);
  }
  void run() {
    thin(gradient.ref(), strength.ref(), thinned.ref(), threads);
    hysteresis(thinned.ref(), kThresholds, edges.ref(), threads);
  }

  int threads;
  Tensor gradient, strength, thinned, edges;
};

void compare(const char* name, const cv::Mat& picture, int threads) {
  cv::setNumThreads(threads);
  const ConstTensorRef x = TensorRef{
      picture.data, DType::u8, {1, 1, picture.rows, picture.cols}, {0, 0, static_cast<std::int64_t>(picture.step), 1}};
  EdgeRecipe recipe{.kernels = sobel()};
  recipe.kind = EdgeKind::binary;
  recipe.thin = true;
  recipe.hysteresis = ThresholdRule{ThresholdRule::Source::response, kThresholds.low, kThresholds.high};
  const EdgePlan plan(recipe, DType::u8, x.shape, {.threads = threads});
  Tensor edges(DType::u8, x.shape);
  Stages stages(x, threads);
  cv::Mat wanted;
  const auto canny = [&] { cv::Canny(picture, wanted, kThresholds.low, kThresholds.high, 3, true); };
  const auto whole = [&] { plan.run(x, {}, edges.ref(), {}); };
  const auto after = [&] { stages.run(); };
  canny(), whole(), after();
  for (const Tensor* ours : {&edges, &stages.edges}) {
    const cv::Mat seen(picture.size(), CV_8U, const_cast<std::uint8_t*>(ours->data<std::uint8_t>()));
    if (cv::countNonZero(seen != wanted) != 0) std::printf("WRONG: not the edges of cv::Canny\n");
  }
  const std::vector<Timing> times = time_in_turns({after, whole, canny}, kMinSeconds);
  std::printf("| %s | %d | %.1f | %.1f | %.1f |\n", name, threads, 1e3 * times[0].median, 1e3 * times[1].median,
              1e3 * times[2].median);
}

}  // namespace

int main(int argc, char** argv) {
  const cv::Mat photograph = argc == 2 ? cv::imread(argv[1], cv::IMREAD_GRAYSCALE) : cv::Mat();
  if (photograph.empty()) {
    std::fprintf(stderr, "usage: bench_edges PICTURE\n");
    return 2;
  }
  cv::Mat large, noise(2160, 3840, CV_8U);
  cv::resize(photograph, large, noise.size(), 0, 0, cv::INTER_CUBIC);
  cv::randu(noise, 0, 256);
  std::printf("| 3840x2160 | threads | thin + hysteresis | edges | cv::Canny |\n| --- | --- | --- | --- | --- |\n");
  for (const int threads : std::set<int>{1, available_cores()}) {
    compare("photograph", large, threads);
    compare("noise", noise, threads);
  }
}
