// Comparison with other libraries on four photographs: the gradients of scikit-image (from tests/make_golden_edges.py)
// and of OpenCV, and OpenCV's Canny detector.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>
#include <vector>

#include "edges/edge_plan.h"
#include "kernels/kernel_source.h"
#include "network/network_plan.h"
#include "support/convolve.h"

namespace convtool {
namespace {

using Json = nlohmann::json;

constexpr double kUnit = 0x1p-24;  // the largest relative error of rounding to float

const char* const kPhotographs[] = {"samples/camera.png", "samples/coffee.png", "tests/data/chelsea.png",
                                    "tests/data/brick.png"};

/// Reads a photograph of 8 bits per channel: grey, or B, G, R, as the file has it.
cv::Mat read_photograph(const std::string& name) {
  cv::Mat pixels = cv::imread(std::string(PROJECT_DIR) + "/" + name, cv::IMREAD_UNCHANGED);
  REQUIRE_MESSAGE(pixels.depth() == CV_8U, name << " is missing, or not of 8 bits");
  REQUIRE((pixels.channels() == 1 || pixels.channels() == 3));
  return pixels;
}

/// Does not use IMREAD_GRAYSCALE, with which the codec chooses the weights of the channels.
cv::Mat read_grey(const std::string& name) {
  cv::Mat pixels = read_photograph(name);
  if (pixels.channels() == 3) cv::cvtColor(pixels, pixels, cv::COLOR_BGR2GRAY);
  return pixels;
}

/// The tensor has its channels in the order of `pixels`.
Tensor tensor_from(const cv::Mat& pixels, DType dtype = DType::u8) {
  std::vector<cv::Mat> planes;
  cv::split(pixels, planes);
  std::vector<double> values;
  for (const cv::Mat& plane : planes)
    values.insert(values.end(), plane.begin<std::uint8_t>(), plane.end<std::uint8_t>());
  return tensor_of(dtype, {1, pixels.channels(), pixels.rows, pixels.cols}, values);
}

Bank shipped(const std::string& name, PaddingMode border) {
  Bank bank = load_kernel(name).banks.at(0);
  for (Layer& layer : bank.layers) layer.params.padding_mode = border;
  return bank;
}

/// The responses of each kernel of `bank`, one list per kernel.
std::vector<std::vector<double>> answers(Bank bank, const ConstTensorRef& input, const PlanOptions& options = {}) {
  bank.combine = Combine::none;
  const NetworkPlan plan({.banks = {bank}}, input.dtype, input.shape, false, options);
  Tensor output(DType::f32, plan.output_shape());
  plan.run(input, output.ref(), OutputMap::clip);
  std::vector<std::vector<double>> lists;
  for (std::int64_t c = 0; c < output.shape().c; ++c) lists.push_back(values_of(output.ref().channels(c, 1)));
  return lists;
}

std::vector<double> strengths(const Bank& bank, const ConstTensorRef& input) {
  const EdgePlan plan({.kernels = bank}, input.dtype, input.shape, {});
  Tensor output(DType::f32, plan.output_shape());
  plan.run(input, input, output.ref(), OutputMap::clip);
  return values_of(output.ref());
}

/// The bound on the error of each response. A float sum of n products errs by at most (n + 4) * 2^-24 * sum|x||w|
/// (tests/support/conv_tester.cpp). n of these are for its own roundings. The other 4 cover the weights of the kernel
/// file, which are rounded to nine digits and then to float (1.1 together), and the double sums of the other library.
/// Only fft and winograd err by more, and no kernel here is large or deep enough for them.
std::vector<std::vector<double>> bounds_of(Bank bank, const ConstTensorRef& input) {
  const double taps = static_cast<double>(bank.layers.at(0).shape.taps());
  for (Layer& layer : bank.layers)
    for (float& weight : layer.weights) weight = std::fabs(weight);
  std::vector<std::vector<double>> bounds = answers(bank, input, {.algorithm = "reference"});
  for (std::vector<double>& list : bounds)
    for (double& sum : list) sum *= (taps + 4) * kUnit;
  return bounds;
}

/// A filter of scikit-image that corresponds to one kernel of a shipped bank.
struct Component {
  const char* name;
  double sign;  ///< 1, or -1 if its response is the negative of ours
};
struct Filter {
  const char* name;                   ///< computes the strengths: the magnitude over sqrt(2), a mean over the two axes
  const char* kernel;                 ///< the shipped kernel
  double divisor;                     ///< of the shipped weights
  std::vector<Component> components;  ///< one for each kernel; our x is their _v, for vertical edges
};
const Filter kFilters[] = {
    {"sobel", "sobel", 4, {{"sobel_v", 1}, {"sobel_h", 1}}},
    {"scharr", "scharr", 16, {{"scharr_v", 1}, {"scharr_h", 1}}},
    {"prewitt", "prewitt", 3, {{"prewitt_v", 1}, {"prewitt_h", 1}}},
    {"farid", "farid", 1, {{"farid_v", 1}, {"farid_h", 1}}},
    // scikit-image flips the kernel, so both signs change. Both libraries put the response at the upper left pixel.
    {"roberts", "roberts", 1, {{"roberts_pos_diag", -1}, {"roberts_neg_diag", -1}}},
    {nullptr, "laplacian-4", 1, {{"laplace", -1}}},
};

/// Counts the values that differ from `golden` by more than `bound` plus half a unit in the ninth digit, to which
/// golden values are rounded. Raises `worst` to the largest error in units of its bound.
int count_outside(const std::vector<double>& got, const Json& golden, const std::vector<double>& bound, double& worst) {
  REQUIRE(got.size() == golden.size());
  int outside = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double wanted = golden[i], error = std::fabs(got[i] - wanted), allowed = bound[i] + 5e-9 * std::fabs(wanted);
    outside += !(error <= allowed);
    if (error > 0) worst = std::max(worst, error / allowed);
  }
  return outside;
}

TEST_CASE("scikit-image's gradients and Laplacian, at its own border") {
  std::ifstream file(std::string(TEST_DATA_DIR) + "/golden-edges.json");
  REQUIRE_MESSAGE(file.good(), "golden-edges.json is missing");
  const Json crops = Json::parse(file).at("crops");
  REQUIRE(crops.size() == std::size(kPhotographs));
  double worst_component = 0, worst_strength = 0;
  for (const Json& crop : crops) {
    const std::string photograph = crop.at("photograph");
    const cv::Rect place(crop.at("x"), crop.at("y"), crop.at("w"), crop.at("h"));
    const cv::Mat pixels = read_grey(photograph)(place).clone();
    REQUIRE(values_of(tensor_from(pixels).ref()) == crop.at("pixels").get<std::vector<double>>());
    for (const DType dtype : {DType::u8, DType::f32})
      for (const Filter& filter : kFilters) {
        CAPTURE(photograph);
        CAPTURE(std::string(filter.kernel));
        CAPTURE(std::string(to_string(dtype)));
        const Tensor input = tensor_from(pixels, dtype);
        const Bank bank = shipped(filter.kernel, PaddingMode::symmetric);  // ndimage calls it reflect
        REQUIRE(bank.layers.size() == filter.components.size());
        auto got = answers(bank, input.ref());
        auto bounds = bounds_of(bank, input.ref());
        for (std::size_t k = 0; k < got.size(); ++k) {
          const std::string name(filter.components[k].name);
          const double sign = filter.components[k].sign;
          CAPTURE(name);
          for (double& value : got[k]) value *= sign / filter.divisor;
          for (double& bound : bounds[k]) bound /= filter.divisor;
          CHECK(count_outside(got[k], crop.at(name), bounds[k], worst_component) == 0);
        }
        if (filter.name == nullptr) continue;

        // The lengths of two vectors differ by at most the length of their difference. Squares, sum and root round once
        // each. The sum of squares errs by at most 2 units, so its root errs by 1 unit, and by 1 more of its own
        // rounding. A third unit is for products of these errors.
        auto lengths = strengths(bank, input.ref());
        std::vector<double> bound(lengths.size());
        for (std::size_t i = 0; i < lengths.size(); ++i) {
          lengths[i] /= filter.divisor * std::sqrt(2.0);
          bound[i] = std::hypot(bounds[0][i], bounds[1][i]) / std::sqrt(2.0) + 3 * kUnit * lengths[i];
        }
        CHECK(count_outside(lengths, crop.at(filter.name), bound, worst_strength) == 0);
      }
  }
  MESSAGE("largest error, as a share of its bound: components " << worst_component << ", strengths " << worst_strength);
}

std::vector<double> values_of_plane(const cv::Mat& plane) { return {plane.begin<float>(), plane.end<float>()}; }

struct Border {
  PaddingMode ours;
  int theirs;
};
constexpr Border kBorders[] = {{PaddingMode::replicate, cv::BORDER_REPLICATE},
                               {PaddingMode::reflect, cv::BORDER_REFLECT_101}};

/// Calls `check(grey, input, border)` for every photograph, in u8 and in f32, and for every border.
template <class Check>
void for_each_photograph(const Check& check) {
  for (const char* name : kPhotographs)
    for (const DType dtype : {DType::u8, DType::f32})
      for (const Border& border : kBorders) {
        CAPTURE(std::string(name));
        CAPTURE(std::string(to_string(dtype)));
        CAPTURE(std::string(to_string(border.ours)));
        const cv::Mat grey = read_grey(name);
        const Tensor input = tensor_from(grey, dtype);
        check(grey, input.ref(), border);
      }
}

TEST_CASE("cv::Sobel and cv::Scharr: every component exactly, every magnitude to one unit in the last place") {
  for_each_photograph([](const cv::Mat& grey, const ConstTensorRef& input, const Border& border) {
    for (const bool scharr : {false, true}) {
      CAPTURE(scharr);
      cv::Mat right, down;
      const int aperture = scharr ? cv::FILTER_SCHARR : 3;  // makes cv::Sobel compute cv::Scharr
      cv::Sobel(grey, right, CV_32F, 1, 0, aperture, 1, 0, border.theirs);
      cv::Sobel(grey, down, CV_32F, 0, 1, aperture, 1, 0, border.theirs);
      const auto x = values_of_plane(right), y = values_of_plane(down);
      const Bank bank = shipped(scharr ? "scharr" : "sobel", border.ours);
      const auto got = answers(bank, input);
      CHECK((got.at(0) == x && got.at(1) == y));  // integers below 2^24 are exact

      // Squares are below 2^24 too, so they are exact. The sum is rounded only from 2^24 on, by at most 1, which
      // changes the root by 2^-13. The root itself is rounded by 2^-12. A unit in its last place is 2^-11.
      const auto lengths = strengths(bank, input);
      int apart = 0;
      for (std::size_t i = 0; i < lengths.size(); ++i) {
        const double wanted = std::sqrt(x[i] * x[i] + y[i] * y[i]);
        const float length = static_cast<float>(lengths[i]);
        apart += !(std::nextafter(length, -1.0F) <= wanted && wanted <= std::nextafter(length, INFINITY));
      }
      CHECK(apart == 0);
    }
  });
}

TEST_CASE("cv::Laplacian of aperture 1 is laplacian-4; of aperture 3, twice the difference to laplacian-8") {
  for_each_photograph([](const cv::Mat& grey, const ConstTensorRef& input, const Border& border) {
    cv::Mat four, diagonal;
    cv::Laplacian(grey, four, CV_32F, 1, 1, 0, border.theirs);
    cv::Laplacian(grey, diagonal, CV_32F, 3, 1, 0, border.theirs);
    const auto of_four = answers(shipped("laplacian-4", border.ours), input).at(0);
    const auto of_eight = answers(shipped("laplacian-8", border.ours), input).at(0);
    CHECK(of_four == values_of_plane(four));
    // 2 0 2 | 0 -8 0 | 2 0 2 is not a shipped kernel, but it is twice the difference of laplacian-8 and laplacian-4.
    std::vector<double> twice;
    for (std::size_t i = 0; i < of_four.size(); ++i) twice.push_back(2 * (of_eight[i] - of_four[i]));
    CHECK(twice == values_of_plane(diagonal));
  });
}

struct Detection {
  std::int64_t pixels = 0, edges = 0, differing = 0;
};

/// Runs EdgePlan on `input` and cv::Canny on `pixels`, which are the same picture, and compares the edges.
Detection detect(const ConstTensorRef& input, const cv::Mat& pixels, const Thresholds& thresholds, bool l2) {
  EdgeRecipe recipe{.kernels = load_kernel("sobel").banks.at(0),
                    .color = input.shape.c == 1 ? ColorRule::luma : ColorRule::max,
                    .kind = EdgeKind::binary,
                    .thin = true,
                    .hysteresis = ThresholdRule{ThresholdRule::Source::response, thresholds.low, thresholds.high}};
  recipe.kernels.combine = l2 ? Combine::magnitude : Combine::l1;
  const EdgePlan plan(recipe, DType::u8, input.shape, {});
  Tensor edges(DType::u8, plan.output_shape());
  plan.run(input, input, edges.ref(), OutputMap::clip);
  cv::Mat wanted;
  cv::Canny(pixels, wanted, thresholds.low, thresholds.high, 3, l2);
  Detection result{.pixels = edges.shape().count()};
  const std::uint8_t* edge = edges.data<std::uint8_t>();
  for (auto at = wanted.begin<std::uint8_t>(); at != wanted.end<std::uint8_t>(); ++at, ++edge) {
    result.edges += *at != 0;
    result.differing += *edge != *at;
  }
  return result;
}

/// Calls `check(name, thresholds, l2)` for every photograph, both norms and two pairs of thresholds.
template <class Check>
void for_each_detector(const Check& check) {
  for (const char* name : kPhotographs)
    for (const bool l2 : {false, true})
      for (const Thresholds& thresholds : {Thresholds{40, 90}, Thresholds{100, 200}}) {
        CAPTURE(std::string(name));
        CAPTURE(l2);
        CAPTURE(thresholds.high);
        check(name, thresholds, l2);
      }
}

TEST_CASE("cv::Canny of grey photographs agrees in every pixel") {
  for_each_detector([](const char* name, const Thresholds& thresholds, bool l2) {
    const cv::Mat grey = read_grey(name);
    const Tensor input = tensor_from(grey);
    const Detection found = detect(input.ref(), grey, thresholds, l2);
    CHECK(found.edges > found.pixels / 100);
    CHECK(found.differing == 0);
  });
}

TEST_CASE("cv::Canny of colour photographs agrees in every pixel when ties go to the same colour") {
  for_each_detector([](const char* name, const Thresholds& thresholds, bool l2) {
    const cv::Mat bgr = read_photograph(name);
    if (bgr.channels() == 1) return;
    // Of equally strong colours the first one gives the direction of the gradient. For OpenCV, whose order is B, G, R,
    // that is blue.
    const Tensor blue_first = tensor_from(bgr);
    const Detection same = detect(blue_first.ref(), bgr, thresholds, l2);
    CHECK(same.edges > same.pixels / 100);
    CHECK(same.differing == 0);

    // In the program's order it is red. Only pixels with ties differ.
    cv::Mat rgb;
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    const Tensor red_first = tensor_from(rgb);
    const Detection other = detect(red_first.ref(), bgr, thresholds, l2);
    CHECK(other.differing * 100 <= other.pixels);
    CHECK(detect(red_first.ref(), rgb, thresholds, l2).differing == 0);
    MESSAGE(std::string(name) << (l2 ? ", l2, " : ", l1, ") << thresholds.low << " and " << thresholds.high << ": "
                              << other.differing << " of " << other.pixels << " pixels depend on ties of colours, "
                              << other.edges << " edges");
  });
}

}  // namespace
}  // namespace convtool
