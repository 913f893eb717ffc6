// Activations on every instruction set, against their definition.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "conv/activation.h"
#include "conv/sink.h"
#include "support/convolve.h"
#include "support/instruction_sets.h"
#include "support/values.h"

namespace convtool {
namespace {

constexpr ActivationNumbers kNumbers{.slope = -0.3F, .min = -0.75F, .max = 2.5F};

Activation activation_of(std::size_t i) { return static_cast<Activation>(i); }

struct Activated {
  std::vector<double> values;
  ResponseStats stats;
};

Activated finish(Activation activation, const std::vector<double>& sums) {
  const auto width = static_cast<std::int64_t>(sums.size());
  Tensor output(DType::f32, {1, 1, 1, width});
  Activated finished;
  Sink({.activation = activation, .numbers = kNumbers}, {}, {.shape = {}, .weights = {}, .bias = {0}}, output.ref())
      .finish({.n = 0, .y = 0, .x = 0, .count = width}, 0, sums.data(), width, finished.stats);
  finished.values = values_of(output.ref());
  return finished;
}

/// From tiny to huge, both signs.
std::vector<double> arguments() {
  std::vector<double> values = {0, 3, -3, 2.5, -0.75};
  for (double value = 0x1p-140; value < 0x1p100; value *= 1.37) {
    values.push_back(value);
    values.push_back(-value);
  }
  for (double value = -30; value < 30; value += 0.0371) values.push_back(value);
  return values;
}

}  // namespace

TEST_CASE("the engine's activations are those of the definition, rounded to float") {
  const std::vector<double> sums = arguments();
  on_each_set([&] {
    for (std::size_t i = 0; i < std::size(kActivations); ++i) {
      CAPTURE(std::string(kActivations[i]));
      const std::vector<double> got = finish(activation_of(i), sums).values;
      std::size_t wrong = 0;
      for (std::size_t k = 0; k < sums.size(); ++k) {
        const double expected = activated(activation_of(i), kNumbers, sums[k]);
        // Half a unit in the last place of a float, which below 2^-126 is 2^-149, and 2^-50 of the definition's
        // own rounding and of the engine's.
        const double slack = std::fabs(expected) * (0x1p-24 + 2 * 0x1p-50) + 0x1p-150;
        if (std::fabs(got[k] - expected) <= slack) continue;
        if (wrong++ > 0) continue;
        CAPTURE(sums[k]);
        CHECK(got[k] == expected);
      }
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("activations of infinities and NaN, as in PyTorch") {
  struct Row {
    Activation activation;
    double of_minus_infinity, of_infinity;
  };
  const Row rows[] = {
      {Activation::none, -kInf, kInf},      {Activation::relu, 0, kInf},        {Activation::abs, kInf, kInf},
      {Activation::leaky_relu, kInf, kInf},  // the slope is negative
      {Activation::clip, -0.75, 2.5},       {Activation::sigmoid, 0, 1},        {Activation::tanh, -1, 1},
      {Activation::silu, kNan, kInf},       {Activation::hardswish, kNan, kInf}};
  CHECK(std::size(rows) == std::size(kActivations));
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  on_each_set([&] {
    for (const Row& row : rows) {
      CAPTURE(std::string(kActivations[static_cast<int>(row.activation)]));
      for (const std::size_t width : {3u, 16u}) {  // in vectors, and at the end of a span
        std::vector<double> sums(width, -kInf);
        sums[1] = kInf;
        sums[2] = kNan;
        const std::vector<double> got = finish(row.activation, sums).values;
        CHECK(same(got[0], row.of_minus_infinity));
        CHECK(same(got[1], row.of_infinity));
        CHECK(std::isnan(got[2]));
        CHECK(same(activated(row.activation, kNumbers, -kInf), row.of_minus_infinity));
        CHECK(same(activated(row.activation, kNumbers, kInf), row.of_infinity));
      }
    }
  });
}

TEST_CASE("no step of an activation is steeper than its steepest slope, and one comes close") {
  for (std::size_t i = 0; i < std::size(kActivations); ++i) {
    CAPTURE(std::string(kActivations[i]));
    const double most = steepest_slope(activation_of(i), kNumbers);
    double steepest = 0;
    constexpr double kStep = 0x1p-10;
    for (double x = -20; x < 20; x += kStep) {
      const double step = activated(activation_of(i), kNumbers, x + kStep) - activated(activation_of(i), kNumbers, x);
      steepest = std::max(steepest, std::fabs(step) / kStep);
    }
    CHECK(steepest <= most * (1 + 0x1p-40));  // differences of doubles below 2^5 err by 2^-48, over the step
    CHECK(steepest >= 0.99 * most);
  }
}

TEST_CASE("activations in words and in JSON") {
  CHECK(activation_text(Activation::relu, {}) == "relu");
  CHECK(activation_text(Activation::leaky_relu, {.slope = 0.2F}) == "leaky_relu of slope 0.2");
  CHECK(activation_text(Activation::clip, {.min = 0, .max = 6}) == "clip to 0 ... 6");
  CHECK(activation_text(Activation::clip, {.min = -1}) == "clip to at least -1");
  CHECK(activation_text(Activation::clip, {.max = 1}) == "clip to at most 1");
  CHECK(activation_json(Activation::tanh, {}) == R"("tanh")");
  CHECK(activation_json(Activation::leaky_relu, {}) == R"({"leaky_relu": {"slope": 0.01}})");
  CHECK(activation_json(Activation::clip, {.min = 0, .max = 6}) == R"({"clip": {"min": 0, "max": 6}})");
  CHECK(activation_json(Activation::clip, {.max = 6}) == R"({"clip": {"max": 6}})");
}

}  // namespace convtool
