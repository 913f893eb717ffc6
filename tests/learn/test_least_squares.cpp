// Least squares: it finds the kernels that produced the targets, counts undetermined weights, and agrees with descent.
#include <doctest/doctest.h>

#include <cmath>

#include "learn/gradient_descent.h"
#include "learn/least_squares.h"
#include "learn/rounding.h"
#include "learn/samples.h"
#include "support/params.h"
#include "support/random.h"

namespace convtool {
namespace {

double largest_difference(const std::vector<double>& got, const std::vector<float>& expected) {
  REQUIRE(got.size() == expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    largest = std::max(largest, std::fabs(got[i] - static_cast<double>(expected[i])));
  return largest;
}

/// Noise in which neighbours are correlated, as in photographs.
Tensor soft_noise(const Shape& shape, Random& random) {
  const Tensor noise = filled(DType::f32, {shape.n, shape.c, shape.h + 2, shape.w + 2}, [&] { return random.rough(); });
  return convolve(noise.ref(),
                  kernel_of({shape.c, 1, 3, 3}, std::vector<float>(static_cast<std::size_t>(9 * shape.c), 1.0F)),
                  {.groups = shape.c});
}

TEST_CASE("the kernel that produced the target is found, with any options") {
  Random random(41);
  const struct {
    KernelShape shape;
    ConvParams params;
    bool bias;
  } layers[] = {
      {{1, 1, 3, 3}, {}, false},
      {{1, 1, 5, 5}, {.padding = kSame, .padding_mode = PaddingMode::replicate}, true},
      {{3, 3, 1, 1}, {}, true},
      {{4, 3, 3, 2},
       {.stride = {2, 1}, .dilation = {1, 2}, .padding = kSame, .padding_mode = PaddingMode::reflect},
       true},
      {{6, 2, 2, 3},
       {.padding = pads(1, 0, 2, 1), .padding_mode = PaddingMode::constant, .padding_value = 0.5F, .groups = 3},
       true},
  };
  for (const auto& layer : layers) {
    Kernel kernel = kernel_of(layer.shape, floats(layer.shape.count(), [&] { return random.rough(); }));
    if (layer.bias) kernel.bias = floats(layer.shape.c_o, [&] { return random.rough(); });
    const Shape input{2, layer.shape.c_i_per_group * layer.params.groups, 40, 50};
    const Sample sample = planted_sample(soft_noise(input, random), kernel, layer.params);
    CAPTURE(to_string(sample.problem));
    const LeastSquares found = solve_least_squares(only(sample), {.learns_bias = layer.bias});
    CHECK(found.rank == found.columns);
    CHECK(found.columns == (layer.shape.taps() + (layer.bias ? 1 : 0)) * layer.params.groups);
    CHECK(largest_difference(found.parameters.weights, kernel.weights) < 1e-4);
    CHECK(largest_difference(found.parameters.bias, kernel.bias) < 1e-4);
  }
}

TEST_CASE("integer weights are found to the precision of double, with any number of threads") {
  Random random(42);
  Tensor picture = filled(DType::f32, {1, 1, 200, 300}, [&] { return static_cast<double>(random.between(0, 255)); });
  const Kernel sobel = kernel_of({1, 1, 3, 3}, {-1, 0, 1, -2, 0, 2, -1, 0, 1});
  const Sample sample = planted_sample(std::move(picture), sobel);
  const LeastSquares one = solve_least_squares(only(sample), {.threads = 1});
  CHECK(largest_difference(one.parameters.weights, sobel.weights) < 1e-11);
  CHECK(solve_least_squares(only(sample), {.threads = 3}).parameters.weights == one.parameters.weights);
}

TEST_CASE("a constant input determines only the sum of the weights, and the smallest such weights are taken") {
  const Sample flat = sample_of(filled(DType::f32, {1, 1, 6, 6}, [] { return 100.0; }),
                                filled(DType::f32, {1, 1, 4, 4}, [] { return 50.0; }), {1, 1, 3, 3});
  const LeastSquares found = solve_least_squares(only(flat), {});
  CHECK(found.columns == 9);
  CHECK(found.rank == 1);
  for (const double weight : found.parameters.weights) CHECK(weight == doctest::Approx(0.5 / 9));
  // With a bias b and weights w, 900 w + b = 50. Among its solutions 9 w^2 + b^2 is least where w = 100 b.
  const LeastSquares with_bias = solve_least_squares(only(flat), {.learns_bias = true});
  CHECK(with_bias.columns == 10);
  CHECK(with_bias.rank == 1);
  for (const double weight : with_bias.parameters.weights) CHECK(weight == doctest::Approx(100 * 50.0 / 90001));
  CHECK(with_bias.parameters.bias[0] == doctest::Approx(50.0 / 90001));
}

TEST_CASE("a black input determines nothing, and the weights are 0") {
  const Sample black = sample_of(filled(DType::f32, {1, 1, 6, 6}, [] { return 0.0; }),
                                 filled(DType::f32, {1, 1, 4, 4}, [] { return 50.0; }), {1, 1, 3, 3});
  const LeastSquares found = solve_least_squares(only(black), {});
  CHECK(found.rank == 0);
  for (const double weight : found.parameters.weights) CHECK(weight == 0);
}

TEST_CASE("the rank does not depend on the units of pixels") {
  Random random(43);
  for (const double unit : {1e-12, 1.0, 1e9}) {
    const Kernel kernel = [&] {
      Kernel planted = kernel_of({1, 1, 2, 2}, {1, -2, 3, 0.5F});
      planted.bias = {0.25F};
      return planted;
    }();
    Tensor input = filled(DType::f32, {1, 1, 30, 30}, [&] { return unit * static_cast<double>(random.rough()); });
    const Sample sample = planted_sample(std::move(input), kernel);
    const LeastSquares found = solve_least_squares(only(sample), {.learns_bias = true});
    CHECK(found.rank == 5);
    if (unit == 1.0) CHECK(largest_difference(found.parameters.weights, kernel.weights) < 1e-6);
  }
}

TEST_CASE("ridge shrinks weights by the formula for one weight, and leaves biases alone") {
  // For one weight w and no bias, (sum x^2 + ridge) w = sum x y.
  const Sample sample = sample_of(tensor_of(DType::f32, {1, 1, 1, 3}, {1, 2, 3}),
                                  tensor_of(DType::f32, {1, 1, 1, 3}, {2, 4, 6}), {1, 1, 1, 1});
  CHECK(solve_least_squares(only(sample), {.ridge = 7}).parameters.weights[0] == doctest::Approx(28.0 / 21));
  // Such a large ridge makes the weight 0, so the bias is the mean.
  const LeastSquares mean = solve_least_squares(only(sample), {.ridge = 1e12, .learns_bias = true});
  CHECK(mean.parameters.bias[0] == doctest::Approx(4));
}

TEST_CASE("several samples form one system, and held-out rows do not count") {
  Random random(44);
  const Kernel kernel = kernel_of({1, 1, 2, 2}, {1, 2, 3, 4});
  // The first sample is 0 under the right column of taps, the second under the left one.
  std::vector<Sample> samples;
  for (const bool left : {true, false}) {
    Tensor input(DType::f32, {1, 1, 20, 2});
    const auto x = input.ref().view<float>();
    for (std::int64_t y = 0; y < 20; ++y) {
      x.at(0, 0, y, 0) = left ? random.rough() : 0.0F;
      x.at(0, 0, y, 1) = left ? 0.0F : random.rough();
    }
    samples.push_back(planted_sample(std::move(input), kernel));
  }
  CHECK(solve_least_squares(only(samples.front()), {}).rank == 2);
  const LeastSquares both = solve_least_squares(samples, {});
  CHECK(both.rank == 4);
  CHECK(largest_difference(both.parameters.weights, kernel.weights) < 1e-5);

  for (Sample& sample : samples) {
    sample.learned_rows = 10;
    sample.target.data<float>()[15] = 1e6F;
  }
  CHECK(largest_difference(solve_least_squares(samples, {}).parameters.weights, kernel.weights) < 1e-5);
}

TEST_CASE("descent converges to the least-squares solution") {
  Random random(45);
  const Kernel kernel = kernel_of({2, 2, 3, 3}, floats(36, [&] { return random.rough(); }));
  Sample sample = planted_sample(filled(DType::f32, {1, 2, 30, 30}, [&] { return random.rough(); }), kernel);
  float* target = sample.target.data<float>();  // noise, so that the best fit is not the kernel itself
  for (std::int64_t i = 0; i < sample.target.shape().count(); ++i) target[i] += random.rough() / 4;
  const LeastSquares best = solve_least_squares(only(sample), {.learns_bias = true});
  const Parameters found = descend(only(sample), Parameters(kernel.shape),
                                   {.rate = stable_rate(only(sample), true, 1), .epochs = 200, .learns_bias = true},
                                   [](std::int64_t, const Loss&) {});
  for (std::size_t i = 0; i < found.weights.size(); ++i)
    CHECK(std::fabs(found.weights[i] - best.parameters.weights[i]) < 1e-5);
}

TEST_CASE("too many unknowns are refused") {
  const Sample sample = sample_of(Tensor(DType::f32, {1, 1, 80, 80}), Tensor(DType::f32, {1, 1, 1, 1}), {1, 1, 80, 80});
  CHECK_THROWS_WITH_AS(solve_least_squares(only(sample), {}),
                       doctest::Contains("at most 4096 weights of an output channel (got 6400)"), Error);
}

TEST_CASE("rounded zeros are 0, not -0, and so is a bias that the samples cannot tell from 0") {
  Random random(43);
  const Kernel kernel = kernel_of({1, 1, 3, 3}, {0, -0.25F, 0, -0.25F, 1, -0.25F, 0, -0.25F, 0});
  const auto rounded_of = [&](const std::vector<float>& bias) {
    Kernel planted = kernel;
    planted.bias = bias;
    const Sample sample = planted_sample(soft_noise({1, 1, 40, 40}, random), planted);
    const LeastSquares found = solve_least_squares(only(sample), {.learns_bias = true});
    const Loss loss = measure_loss(only(sample), found.parameters.to_kernel(kernel.shape), 1);
    const auto rounded = round_parameters(only(sample), found.parameters, true, loss, 1);
    REQUIRE(rounded);
    for (const double weight : rounded->parameters.weights) CHECK((weight != 0 || !std::signbit(weight)));
    return rounded->parameters.bias.front();
  };
  const double without = rounded_of({0.0F});
  CHECK(without == 0);
  CHECK(!std::signbit(without));
  // Errors of floats of up to 10 are below 1e-6, and the mean of 1444 of them far below.
  CHECK(std::fabs(rounded_of({1e-3F}) - 1e-3) < 1e-7);
}

TEST_CASE("rounding recovers fractions from weights that were learned from rounded pictures") {
  Random random(46);
  const Kernel sixteenths = kernel_of({1, 1, 3, 3}, {1 / 16.0F, 2 / 16.0F, 1 / 16.0F, 2 / 16.0F, 4 / 16.0F, 2 / 16.0F,
                                                     1 / 16.0F, 2 / 16.0F, 1 / 16.0F});
  Tensor picture = filled(DType::f32, {1, 1, 120, 150}, [&] { return static_cast<double>(random.between(0, 255)); });
  Sample sample = planted_sample(std::move(picture), sixteenths);
  float* target = sample.target.data<float>();
  for (std::int64_t i = 0; i < sample.target.shape().count(); ++i) target[i] = std::nearbyint(target[i]);
  sample.whole_target = true;
  const LeastSquares found = solve_least_squares(only(sample), {});
  CHECK(largest_difference(found.parameters.weights, sixteenths.weights) > 1e-6);
  const Loss loss = measure_loss(only(sample), found.parameters.to_kernel(sixteenths.shape), 1);
  const auto rounded = round_parameters(only(sample), found.parameters, false, loss, 1);
  REQUIRE(rounded);
  CHECK(rounded->divisor == 16);
  CHECK(largest_difference(rounded->parameters.weights, sixteenths.weights) == 0);

  // Thirds are not recovered.
  Sample thirds = planted_sample(filled(DType::f32, {1, 1, 120, 150}, [&] { return random.rough(); }),
                                 kernel_of({1, 1, 1, 2}, {1 / 3.0F, 2 / 3.0F}));
  const LeastSquares of_thirds = solve_least_squares(only(thirds), {});
  const Loss their_loss = measure_loss(only(thirds), of_thirds.parameters.to_kernel({1, 1, 1, 2}), 1);
  CHECK(!round_parameters(only(thirds), of_thirds.parameters, false, their_loss, 1));
}

}  // namespace
}  // namespace convtool
