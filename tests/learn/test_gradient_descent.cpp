// Gradient descent against the course's example and against PyTorch, step by step.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "learn/gradient_descent.h"
#include "learn/samples.h"
#include "support/random.h"

namespace convtool {
namespace {

using Json = nlohmann::json;

/// Descends from `parameters`, replaces them by the result and returns the losses of all epochs.
std::vector<double> losses_of(const Sample& sample, const DescentOptions& options, Parameters& parameters) {
  std::vector<double> losses;
  parameters = descend(only(sample), parameters, options, [&](std::int64_t epoch, const Loss& loss) {
    losses.push_back(loss.learned);
    CHECK(epoch == static_cast<std::int64_t>(losses.size()));
  });
  return losses;
}

/// The course's example: the input is a black object on white, the target marks where it begins and ends.
Sample object_sample() {
  std::vector<double> object, edges;
  for (int row = 0; row < 6; ++row) {
    for (const double x : {1, 1, 0, 0, 0, 0, 1, 1}) object.push_back(x);
    for (const double y : {0, 1, 0, 0, 0, -1, 0}) edges.push_back(y);
  }
  return sample_of(tensor_of(DType::f32, {1, 1, 6, 8}, object), tensor_of(DType::f32, {1, 1, 6, 7}, edges),
                   {1, 1, 1, 2});
}

TEST_CASE("the course's example has the digits that the course prints") {
  Parameters parameters({1, 1, 1, 2});
  parameters.weights = {0.0196, -0.3717};
  const std::vector<double> losses = losses_of(object_sample(), {.rate = 0.03, .epochs = 10}, parameters);
  std::string printed;
  for (std::size_t epoch = 2; epoch <= 10; epoch += 2) {
    char text[16];
    std::snprintf(text, sizeof text, "%.3f ", losses[epoch - 1]);
    printed += text;
  }
  CHECK(printed == "4.370 1.021 0.289 0.097 0.036 ");
  CHECK(std::round(parameters.weights[0] * 1e4) == 9718);
  CHECK(std::round(parameters.weights[1] * 1e4) == -10096);
}

Shape shape_of(const Json& sizes) { return {sizes.at(0), sizes.at(1), sizes.at(2), sizes.at(3)}; }

std::vector<double> divided(const Json& integers, double by) {
  std::vector<double> values;
  for (const Json& integer : integers) values.push_back(integer.get<double>() / by);
  return values;
}

TEST_CASE("losses and weights of random problems are those of PyTorch's SGD") {
  std::ifstream file(std::string(TEST_DATA_DIR) + "/golden-learn.json");
  REQUIRE(file.good());
  const Json golden = Json::parse(file);
  CHECK(golden.at("cases").size() == 30);
  int index = 0;
  for (const Json& c : golden.at("cases")) {
    CAPTURE(index++);
    const double over = golden.at("over");
    const auto mode = std::find(std::begin(kPaddingModes), std::end(kPaddingModes), c.at("mode").get<std::string>());
    const Json& p = c.at("padding");
    const ConvParams params{.stride = {c.at("stride").at(0), c.at("stride").at(1)},
                            .dilation = {c.at("dilation").at(0), c.at("dilation").at(1)},
                            .padding = {Padding::Rule::fixed, {p.at(0), p.at(1), p.at(2), p.at(3)}},
                            .padding_mode = static_cast<PaddingMode>(mode - std::begin(kPaddingModes)),
                            .groups = c.at("groups")};
    const Shape w = shape_of(c.at("w_shape"));
    const Sample sample = sample_of(tensor_of(DType::f32, shape_of(c.at("x_shape")), divided(c.at("x"), over)),
                                    tensor_of(DType::f32, shape_of(c.at("y_shape")), divided(c.at("y"), over)),
                                    {w.n, w.c, w.h, w.w}, params);
    CAPTURE(to_string(sample.problem));
    Parameters parameters(sample.problem.kernel);
    parameters.weights = divided(c.at("start"), over);
    const bool with_bias = !c.at("start_bias").is_null();
    if (with_bias) parameters.bias = divided(c.at("start_bias"), over);
    const std::vector<double> losses = losses_of(
        sample,
        {.rate = c.at("rate"), .epochs = c.at("epochs"), .momentum = c.at("momentum"), .learns_bias = with_bias},
        parameters);

    // The layer runs in float here and in double in PyTorch. A float sum of n products is within (n + 4) * 2^-24 of its
    // magnitude, which is 2.5e-6 for n = 37, the most here. Squares err by twice that, relative to a magnitude that is
    // at least that of the targets.
    const auto check_near = [](const std::vector<double>& got, const std::vector<double>& expected) {
      REQUIRE(got.size() == expected.size());
      double scale = 0;
      for (const double value : expected) scale = std::max(scale, std::fabs(value));
      for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::fabs(got[i] - expected[i]) <= 1e-5 * scale);
    };
    for (std::size_t i = 0; i < losses.size(); ++i)
      CHECK(losses[i] == doctest::Approx(c.at("losses").at(i).get<double>()).epsilon(1e-5));
    check_near(parameters.weights, divided(c.at("w"), 1));
    if (with_bias) check_near(parameters.bias, divided(c.at("b"), 1));
  }
}

TEST_CASE("any number of threads gives the same bits, and held-out rows do not affect what is learned") {
  Random random(31);
  const Kernel kernel = kernel_of({3, 3, 3, 3}, floats(81, [&] { return random.rough(); }));
  const auto sample = [&] {
    Random again(32);
    return planted_sample(filled(DType::f32, {1, 3, 90, 110}, [&] { return again.rough(); }), kernel);
  };
  Sample first = sample(), second = sample();
  const DescentOptions options{.rate = 1e-5, .epochs = 4, .momentum = 0.5, .learns_bias = true};
  const auto learn = [&](const Sample& from, int threads) {
    DescentOptions with_threads = options;
    with_threads.threads = threads;
    return descend(only(from), Parameters(kernel.shape), with_threads, [](std::int64_t, const Loss&) {});
  };
  const Parameters one = learn(first, 1), three = learn(first, 3);
  CHECK(one.weights == three.weights);
  CHECK(one.bias == three.bias);

  first.learned_rows = second.learned_rows = 50;
  float* held_out = second.target.ref().view<float>().row(0, 1, 50);
  std::fill_n(held_out, 20 * 108, 1e3F);
  CHECK(learn(first, 2).weights == learn(second, 2).weights);
  CHECK(measure_loss(only(first), one.to_kernel(kernel.shape), 1).held_out <
        measure_loss(only(second), one.to_kernel(kernel.shape), 1).held_out);
}

TEST_CASE("a rate that is too large is an error, which suggests a rate that works") {
  const Sample sample = object_sample();
  const double stable = stable_rate(only(sample), false, 1);
  // 18 pixels under each tap are white, and 12 under both. The Gram matrix of the object is therefore 18 12 / 12 18,
  // and the largest curvature is 2 * 30.
  CHECK(stable * 60 == doctest::Approx(1).epsilon(0.01));
  std::string message;
  try {
    descend(only(sample), Parameters({1, 1, 1, 2}), {.rate = 1, .epochs = 1000}, [](std::int64_t, const Loss&) {});
  } catch (const Error& error) {
    message = error.what();
    CHECK(error.where() == "--lr");
  }
  CAPTURE(message);
  CHECK(message.find("the run diverges at epoch ") != std::string::npos);
  CHECK(message.find("; try --lr 0.0167") != std::string::npos);
  // Divergence begins at twice the stable rate.
  Parameters parameters({1, 1, 1, 2});
  CHECK(losses_of(sample, {.rate = 1.9 * stable, .epochs = 200}, parameters).back() < 1e-3);
}

TEST_CASE("a loss that does not depend on the weights has no rate") {
  const Sample black = sample_of(tensor_of(DType::f32, {1, 1, 2, 2}, {0, 0, 0, 0}),
                                 tensor_of(DType::f32, {1, 1, 2, 2}, {1, 2, 3, 4}), {1, 1, 1, 1});
  CHECK(stable_rate(only(black), false, 1) == 0);
  CHECK(stable_rate(only(black), true, 1) == doctest::Approx(1.0 / 8));
}

}  // namespace
}  // namespace convtool
