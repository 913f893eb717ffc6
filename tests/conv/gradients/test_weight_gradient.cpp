// The weight gradient against the adjoint law and finite differences.
#include <doctest/doctest.h>

#include "conv/gradients/weight_gradient.h"
#include "support/convolve.h"
#include "support/tap_pixels.h"

namespace convtool {
namespace {

/// The layer's output in double, by the formula of conv/problem.h.
std::vector<double> forward(const ConvProblem& p, const Tensor& input, const std::vector<double>& weights,
                            const std::vector<double>& bias) {
  std::vector<double> outputs(static_cast<std::size_t>(output_shape(p).count()));
  const Shape out = output_shape(p);
  const auto x = input.ref().view<float>();
  for_each_output(p, out.h, [&](std::int64_t n, std::int64_t i, std::int64_t j) {
    for (std::int64_t o = 0; o < out.c; ++o) {
      double sum = bias[static_cast<std::size_t>(o)];
      for (std::int64_t t = 0; t < p.kernel.taps(); ++t)
        sum += weights[static_cast<std::size_t>(o * p.kernel.taps() + t)] *
               tap_pixel(p, x, n, o / (out.c / p.groups), tap_at(p.kernel, t), i, j);
      outputs[static_cast<std::size_t>(((n * out.c + o) * out.h + i) * out.w + j)] = sum;
    }
  });
  return outputs;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

std::vector<double> doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

/// Calls check(case, dy) for random problems whose sums are exact.
template <class Check>
void on_random_cases(std::uint64_t seed, int count, const Check& check) {
  Random random(seed);
  int checked = 0;
  for (int i = 0; i < count; ++i) {
    const std::optional<ConvCase> c = random_float_case(random, Numbers::exact);
    if (!c) continue;
    CAPTURE(to_string(c->problem));
    check(*c, filled(DType::f32, output_shape(c->problem),
                     [&] { return static_cast<double>(random.between(-16, 16)) / 8; }));
    ++checked;
  }
  CHECK(checked > count / 2);
}

TEST_CASE("the adjoint law: <A w, dy> = <w, A' dy>, exactly where nothing rounds") {
  on_random_cases(23, 80, [](const ConvCase& c, const Tensor& dy) {
    const std::vector<double> slopes = values_of(dy.ref());
    const ConvProblem& p = c.problem;
    const std::vector<double> none(c.kernel.bias.size());
    const std::vector<double> weights = doubles(c.kernel.weights);
    const WeightGradient gradient = weight_gradient(p, c.input.ref(), dy.ref(), 2);
    CHECK(dot(forward(p, c.input, weights, none), slopes) == dot(weights, gradient.weights));
    CHECK(dot(forward(p, c.input, weights, doubles(c.kernel.bias)), slopes) ==
          dot(weights, gradient.weights) + dot(doubles(c.kernel.bias), gradient.bias));
  });
}

TEST_CASE("finite differences of the sum of squares") {
  // The loss is quadratic in weights and biases, so its central differences are its slopes whatever the step. With
  // multiples of 1/8 and a step of 1, both are exact.
  on_random_cases(24, 30, [](const ConvCase& c, const Tensor& target) {
    const ConvProblem& p = c.problem;
    const std::vector<double> goal = values_of(target.ref());
    const auto loss = [&](const std::vector<double>& weights, const std::vector<double>& bias) {
      std::vector<double> errors = forward(p, c.input, weights, bias);
      for (std::size_t i = 0; i < errors.size(); ++i) errors[i] -= goal[i];
      return dot(errors, errors);
    };
    const std::vector<double> weights = doubles(c.kernel.weights), bias = doubles(c.kernel.bias);
    std::vector<double> errors = forward(p, c.input, weights, bias);
    for (std::size_t i = 0; i < errors.size(); ++i) errors[i] = 2 * (errors[i] - goal[i]);
    const Tensor dy = tensor_of(DType::f32, target.shape(), errors);
    const WeightGradient gradient = weight_gradient(p, c.input.ref(), dy.ref(), 1);

    const auto difference = [&](std::vector<double> numbers, std::size_t at, const auto& loss_of) {
      numbers[at] += 1;
      const double above = loss_of(numbers);
      numbers[at] -= 2;
      return (above - loss_of(numbers)) / 2;
    };
    const std::size_t w = weights.size() / 2, b = bias.size() - 1;
    CHECK(gradient.weights[w] ==
          difference(weights, w, [&](const std::vector<double>& moved) { return loss(moved, bias); }));
    CHECK(gradient.bias[b] ==
          difference(bias, b, [&](const std::vector<double>& moved) { return loss(weights, moved); }));
  });
}

TEST_CASE("rows that dy does not have count as zeros") {
  Random random(25);
  const ConvCase c = make_case({DType::f32, {2, 3, 9, 11}, {2, 3, 3, 3}, {.padding = kSame}, Numbers::exact}, random);
  Tensor dy = filled(DType::f32, output_shape(c.problem), [&] { return static_cast<double>(random.between(-8, 8)); });
  ConstTensorRef top = dy.ref();
  top.shape.h = 5;
  const WeightGradient of_top = weight_gradient(c.problem, c.input.ref(), top, 1);
  const auto view = dy.ref().view<float>();
  for_each_output(c.problem, 9, [&](std::int64_t n, std::int64_t i, std::int64_t j) {
    for (std::int64_t o = 0; o < 2; ++o)
      if (i >= 5) view.at(n, o, i, j) = 0;
  });
  const WeightGradient of_all = weight_gradient(c.problem, c.input.ref(), dy.ref(), 1);
  CHECK(of_top.weights == of_all.weights);
  CHECK(of_top.bias == of_all.bias);
}

}  // namespace
}  // namespace convtool
