// Derivatives and sharpeners by name, against OpenCV, SciPy and the shipped kernels.
//
// The table comes from SciPy 1.10: ndimage.gaussian_filter of a unit impulse, turned by 180 degrees.
#include <doctest/doctest.h>

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "kernels/divided.h"
#include "kernels/generated.h"
#include "kernels/kernel_source.h"

namespace convtool {
namespace {

Bank bank_of(const std::string& text) { return generate_kernel(text).banks.front(); }

Layer only_layer(const std::string& text) {
  const Bank bank = bank_of(text);
  REQUIRE(bank.layers.size() == 1);
  return divided(bank.layers.front());
}

std::vector<float> weights_of(const cv::Mat& kernel) {
  cv::Mat floats;
  kernel.convertTo(floats, CV_32F);
  return {floats.begin<float>(), floats.end<float>()};
}

/// The weights of a filter of OpenCV: its response to an impulse, turned by 180 degrees.
template <class Filter>
std::vector<float> impulse_response(int side, const Filter& filter) {
  cv::Mat impulse = cv::Mat::zeros(side, side, CV_32F), response;
  impulse.at<float>(side / 2, side / 2) = 1;
  filter(impulse, response);
  cv::flip(response, response, -1);
  return weights_of(response);
}

void check_weights(const std::string& text, const std::vector<float>& expected) {
  CAPTURE(text);
  const std::vector<float> got = only_layer(text).weights;
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i] == expected[i]);
  }
}

TEST_CASE("sobel: OpenCV's tables in every size and order") {
  int tables = 0;
  for (const int size : {1, 3, 5, 7})
    for (int dx = 0; dx < std::max(size, 3); ++dx)
      for (int dy = 0; dy < std::max(size, 3); ++dy) {
        if (dx + dy == 0) continue;
        cv::Mat row, column;
        cv::getDerivKernels(row, column, dx, dy, size, false, CV_64F);
        check_weights("sobel:size=" + std::to_string(size) + ",dx=" + std::to_string(dx) + ",dy=" + std::to_string(dy),
                      weights_of(column * row.t()));
        ++tables;
      }
  CHECK(tables == 8 + 8 + 24 + 48);
}

TEST_CASE("sobel without orders is the gradient magnitude, and with size 3 the shipped kernel") {
  const Bank five = bank_of("sobel:size=5"), three = bank_of("sobel:size=3");
  const Bank shipped = load_kernel("sobel").banks.front();
  CHECK(five.combine == Combine::magnitude);
  REQUIRE(five.layers.size() == 2);
  CHECK(five.layers[0].weights == only_layer("sobel:size=5,dx=1").weights);
  CHECK(five.layers[1].weights == only_layer("sobel:size=5,dy=1").weights);
  REQUIRE(three.layers.size() == 2);
  for (const std::size_t i : {0u, 1u}) CHECK(three.layers[i].weights == shipped.layers[i].weights);
}

TEST_CASE("laplacian: OpenCV's in every size") {
  for (const int size : {1, 3, 5, 7})
    check_weights("laplacian:size=" + std::to_string(size),
                  impulse_response(std::max(size, 3), [size](const cv::Mat& from, cv::Mat& to) {
                    cv::Laplacian(from, to, CV_32F, size, 1, 0, cv::BORDER_CONSTANT);
                  }));
  CHECK(only_layer("laplacian").weights == load_kernel("laplacian-4").banks.front().layers.front().weights);
}

TEST_CASE("binomial: Pascal's triangle, exactly as long as floats can hold it") {
  CHECK(only_layer("binomial:size=5").weights ==
        divided(load_kernel("binomial-5").banks.front().layers.front()).weights);
  const Layer row = bank_of("binomial:size=1x5").layers.front();
  CHECK(row.weights == std::vector<float>{1, 4, 6, 4, 1});
  CHECK(row.divisor == std::vector<double>{16});
  for (const char* text : {"binomial:size=13", "binomial:size=14x13", "binomial:size=1023x2"}) {
    CAPTURE(text);
    double sum = 0;
    for (const float weight : only_layer(text).weights) sum += static_cast<double>(weight);
    CHECK(std::fabs(sum - 1) <= 0x1p-23);  // each weight is off by at most 2^-24 of itself
  }
}

TEST_CASE("gaussian: SciPy's derivatives, and a sigma for each axis") {
  const struct {
    const char* text;
    std::int64_t h, w;
    std::vector<std::vector<double>> to_lower_right;  // from the centre
  } tables[] = {
      {"gaussian:sigma=2x0.5",
       13,
       5,
       {{0.157059003, 0.021255625, 5.2687e-05},
        {0.138604084, 0.018758023, 4.6496e-05},
        {0.095261101, 0.012892188, 3.1957e-05}}},
      {"gaussian:order=0x1,sigma=1,size=7",
       7,
       7,
       {{0, 0.096584625, 0.043101886, 0.005307027}, {0, 0.058581536, 0.026142615, 0.003218875}}},
      {"gaussian:sigma=1.5x1,order=2x1,size=11x7",
       11,
       7,
       {{0, -0.028615322, -0.012769883, -0.001572324},
        {0, -0.012729644, -0.005680735, -0.000699455},
        {0, 0.009149864, 0.004083221, 0.000502757}}},
      {"gaussian:sigma=2,order=1,size=13",
       13,
       13,
       {{0, 0, 0}, {0, 0.001940692, 0.002667633}, {0, 0.002667633, 0.003666871}}},
  };
  for (const auto& table : tables) {
    CAPTURE(table.text);
    const Layer layer = only_layer(table.text);
    CHECK(layer.shape.kh == table.h);
    CHECK(layer.shape.kw == table.w);
    for (std::size_t y = 0; y < table.to_lower_right.size(); ++y)
      for (std::size_t x = 0; x < table.to_lower_right[y].size(); ++x) {
        const std::size_t row = static_cast<std::size_t>(table.h / 2) + y;
        const auto got = static_cast<double>(
            layer.weights[row * static_cast<std::size_t>(table.w) + static_cast<std::size_t>(table.w / 2) + x]);
        CHECK(std::fabs(got - table.to_lower_right[y][x]) <= 0.5e-9 + 0x1p-24 * std::fabs(got));
      }
  }
  CHECK(only_layer("gaussian:sigma=2,order=1x0").shape == KernelShape{1, 1, 17, 13});  // 4 and 3 sigma to each side
  CHECK(only_layer("gaussian:sigma=0").weights == std::vector<float>{1});
  CHECK(only_layer("gaussian:sigma=0,size=1x3").weights == std::vector<float>{0, 1, 0});
  CHECK(only_layer("gaussian:sigma=0,size=1x4").weights == std::vector<float>{0, 0.5, 0.5, 0});
  CHECK(only_layer("gaussian:sigma=1x0,size=3").shape == KernelShape{1, 1, 3, 3});
  const Layer rows = only_layer("gaussian:sigma=0x1");
  CHECK(rows.shape == KernelShape{1, 1, 1, 7});
  CHECK(only_layer("gaussian:sigma=1x1").weights == only_layer("gaussian").weights);
}

TEST_CASE("gaussian: derivative n of x^n / n! is 1, but for the part beyond 4 sigma") {
  double factorial = 1;
  // Integrals of x^n / n! times the derivative beyond 4 sigma. The pixels at the ends reach half a pixel farther.
  const double missing[] = {0.00114, 0.00969, 0.0525, 0.201};
  for (int order = 1; order <= 4; ++order) {
    factorial *= order;
    const Layer layer = only_layer("gaussian:sigma=0x2,order=0x" + std::to_string(order));
    double response = 0;
    for (std::int64_t i = 0; i < layer.shape.kw; ++i)
      response += static_cast<double>(layer.weights[static_cast<std::size_t>(i)]) *
                  std::pow(static_cast<double>(i - layer.shape.kw / 2), order) / factorial;
    CAPTURE(order);
    CAPTURE(response);
    CHECK(response < 1 + 1e-6);
    CHECK(response > 1 - missing[order - 1]);
  }
}

TEST_CASE("sharpeners: the picture plus what a blur takes away") {
  for (const double amount : {0.0, 0.5, 2.0}) {
    CAPTURE(amount);
    const Layer sharp = only_layer("unsharp:sigma=1.5,amount=" + std::to_string(amount));
    const std::vector<float> blur = only_layer("gaussian:sigma=1.5").weights;
    REQUIRE(sharp.weights.size() == blur.size());
    for (std::size_t i = 0; i < blur.size(); ++i) {
      const double centre = i == blur.size() / 2 ? 1 + amount : 0;
      const double expected = centre - amount * static_cast<double>(blur[i]);
      // Both weights were rounded to float.
      CHECK(std::fabs(static_cast<double>(sharp.weights[i]) - expected) <= 0x1p-23 * (1 + amount));
    }
  }
  CHECK(only_layer("sharpen").weights == load_kernel("sharpen").banks.front().layers.front().weights);
  CHECK(only_layer("sharpen:amount=0.5").weights == std::vector<float>{0, -0.5F, 0, -0.5F, 3, -0.5F, 0, -0.5F, 0});
  CHECK(only_layer("emboss").weights == load_kernel("emboss").banks.front().layers.front().weights);
  // Light from the right: brightness that increases to the left faces it.
  const std::vector<float> right = only_layer("emboss:angle=0,amount=2").weights;
  CHECK(right[3] == static_cast<float>(2 * std::sqrt(2.0)));
  CHECK(right[5] == -right[3]);
  CHECK(right[4] == 1);
  CHECK(right[1] == 0);
}

TEST_CASE("single gradients by name are those of the magnitudes") {
  for (const std::string name : {"sobel", "scharr", "prewitt", "farid"}) {
    CAPTURE(name);
    const Bank both = load_kernel(name).banks.front();
    REQUIRE(both.layers.size() == 2);
    CHECK(load_kernel(name + "-x").banks.front().layers.front().weights == both.layers[0].weights);
    CHECK(load_kernel(name + "-y").banks.front().layers.front().weights == both.layers[1].weights);
  }
}

TEST_CASE("wrong parameters of derivatives are refused with the reason") {
  const std::pair<const char*, const char*> refused[] = {
      {"sobel:size=4", "size cannot be '4' (expected 1, 3, 5 or 7)"},
      {"sobel:size=1", "give dx or dy"},
      {"gaussian:sigma=0.5,order=1", "samples at the centres of pixels do not represent derivatives"},
      {"sobel:size=9", "size cannot be '9' (expected a whole number from 1 to 7)"},
      {"sobel:dx=3", "dx cannot be '3' (expected a whole number from 0 to 2)"},
      {"sobel:dx=0,dy=0", "dx and dy are both 0"},
      {"sobel:dx=1.5", "dx cannot be '1.5'"},
      {"gaussian:sigma=0.05", "sigma cannot be 0.05 (expected 0, or 0.1 to 1000)"},
      {"gaussian:sigma=1x", "sigma cannot be '1x' (expected N, or YxX for rows and columns, each from 0 to 1000)"},
      {"gaussian:sigma=1x2x3", "sigma cannot be '1x2x3'"},
      {"gaussian:order=5", "order cannot be '5'"},
      {"gaussian:order=0.5", "order cannot be 0.5 (expected whole numbers)"},
      {"gaussian:sigma=0x1,order=1x0", "there is no derivative along an axis with a sigma of 0"},
      {"unsharp:amount=-1", "amount cannot be '-1' (expected a number from 0 to 100)"},
      {"unsharp:sigma=171", "its size would be 1027x1027"},
      {"unsharp:size=3", "unknown parameter 'size' (expected sigma, amount)"},
      {"emboss:angle=361", "angle cannot be '361'"},
      {"laplacian:size=2", "size cannot be '2' (expected 1, 3, 5 or 7)"},
  };
  for (const auto& entry : refused) {
    const std::string text = entry.first;
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(generate_kernel(text), doctest::Contains(entry.second), Error);
  }
}

}  // namespace
}  // namespace convtool
