// The sums behind gradients and least squares, against their definition, pixel by pixel in double.
#include <doctest/doctest.h>

#include <cmath>

#include "conv/gradients/tap_products.h"
#include "conv/gradients/weight_gradient.h"
#include "support/instruction_sets.h"
#include "support/placed_tensor.h"
#include "support/tap_pixels.h"

namespace convtool {
namespace {

/// A^T Y and A^T A, and the same sums of absolute values, from which bounds are computed.
struct Definition {
  TapProducts sums, magnitudes;
};

Definition define(const ConvCase& c, const Tensor& values, std::int64_t rows) {
  const ConvProblem& p = c.problem;
  const std::int64_t taps = p.kernel.taps() + 1, outputs = p.kernel.c_o / p.groups;
  TapProducts zero{.taps = taps, .outputs = outputs};
  zero.with_values.resize(static_cast<std::size_t>(p.groups * taps * outputs));
  zero.with_taps.resize(static_cast<std::size_t>(p.groups * taps * taps));
  Definition result{zero, zero};
  const auto x = c.input.ref().view<float>(), y = values.ref().view<float>();
  for (std::int64_t group = 0; group < p.groups; ++group)
    for_each_output(p, rows, [&](std::int64_t n, std::int64_t i, std::int64_t j) {
      std::vector<double> seen;
      for (std::int64_t t = 0; t + 1 < taps; ++t) seen.push_back(tap_pixel(p, x, n, group, tap_at(p.kernel, t), i, j));
      seen.push_back(1);
      const auto add = [](std::vector<double>& sums, std::vector<double>& magnitudes, std::int64_t at, double product) {
        sums[static_cast<std::size_t>(at)] += product;
        magnitudes[static_cast<std::size_t>(at)] += std::fabs(product);
      };
      for (std::int64_t a = 0; a < taps; ++a) {
        const double pixel = seen[static_cast<std::size_t>(a)];
        for (std::int64_t o = 0; o < outputs; ++o)
          add(result.sums.with_values, result.magnitudes.with_values, (group * taps + a) * outputs + o,
              pixel * static_cast<double>(y.at(n, group * outputs + o, i, j)));
        for (std::int64_t b = 0; b < taps; ++b)
          add(result.sums.with_taps, result.magnitudes.with_taps, (group * taps + a) * taps + b,
              pixel * seen[static_cast<std::size_t>(b)]);
      }
    });
  return result;
}

void check_within(const std::vector<double>& got, const std::vector<double>& expected,
                  const std::vector<double>& magnitudes, double epsilon) {
  REQUIRE(got.size() == expected.size());
  std::size_t worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(std::fabs(got[i] - expected[i]) <= epsilon * magnitudes[i])) worst = i + 1;
  }
  CAPTURE(worst);
  CHECK(worst == 0);
}

/// The part of A^T Y that are weights, in nn.Conv2d's order, and biases.
WeightGradient gradient_of(const ConvProblem& p, const TapProducts& sums) {
  WeightGradient gradient;
  for (std::int64_t o = 0; o < p.kernel.c_o; ++o)
    for (std::int64_t t = 0; t < sums.taps; ++t)
      (t + 1 < sums.taps ? gradient.weights : gradient.bias)
          .push_back(sums.with_values[static_cast<std::size_t>((o / sums.outputs * sums.taps + t) * sums.outputs +
                                                               o % sums.outputs)]);
  return gradient;
}

/// Random problems, and wide and tall ones of several blocks.
std::vector<ConvCase> cases(Numbers numbers) {
  Random random(7);
  std::vector<ConvCase> all;
  for (int i = 0; i < 60; ++i) {
    std::optional<ConvCase> c = random_float_case(random, numbers);
    if (c) all.push_back(std::move(*c));
  }
  all.push_back(make_case({DType::f32, {1, 1, 5, 2500}, {1, 1, 2, 3}, {.padding = kSame}, numbers}, random));
  all.push_back(
      make_case({DType::f32, {2, 2, 300, 7}, {4, 1, 3, 1}, {.stride = {1, 2}, .groups = 2}, numbers}, random));
  all.push_back(make_case({DType::f32, {1, 1, 4, 4}, {1, 1, 4, 4}, {.stride = {1 << 30, 1 << 30}}, numbers}, random));
  // Numbers of outputs that fill vectors: rows of several blocks, groups, strides, more outputs than fit registers,
  // large sums.
  all.push_back(make_case({DType::f32, {1, 8, 5, 400}, {16, 8, 3, 3}, {.padding = kSame}, numbers}, random));
  all.push_back(make_case({DType::f32,
                           {2, 16, 19, 17},
                           {26, 8, 3, 3},
                           {.stride = {2, 3}, .dilation = {3, 1}, .padding = kSame, .groups = 2},
                           numbers},
                          random));
  all.push_back(make_case({DType::f32, {1, 7, 12, 12}, {70, 7, 3, 3}, {}, numbers}, random));
  all.push_back(make_case({DType::f32, {1, 32, 6, 7}, {460, 32, 3, 3}, {}, numbers}, random));
  CHECK(all.size() > 40);
  return all;
}

TEST_CASE("tap products match their definition on every instruction set") {
  on_each_set([] {
    Random random(8);
    for (const ConvCase& c : cases(Numbers::rough)) {
      CAPTURE(to_string(c.problem));
      Shape shape = output_shape(c.problem);
      shape.h = random.between(1, shape.h);
      const Tensor values = rough_tensor(shape, random);
      const Definition defined = define(c, values, shape.h);
      // Floats: a lane adds at most 4096 products of a block, then at most 16 lanes are added. Doubles: the same, then
      // fewer than 2048 blocks and shares.
      const WeightGradient got = weight_gradient(c.problem, c.input.ref(), values.ref(), 1);
      const WeightGradient sums = gradient_of(c.problem, defined.sums),
                           magnitudes = gradient_of(c.problem, defined.magnitudes);
      check_within(got.weights, sums.weights, magnitudes.weights, 4112 * 0x1p-24);
      check_within(got.bias, sums.bias, magnitudes.bias, 4112 * 0x1p-24);
      const TapProducts in_double = tap_products(c.problem, c.input.ref(), values.ref(), 1);
      check_within(in_double.with_values, defined.sums.with_values, defined.magnitudes.with_values, 4096 * 0x1p-53);
      check_within(in_double.with_taps, defined.sums.with_taps, defined.magnitudes.with_taps, 4096 * 0x1p-53);
    }
  });
}

TEST_CASE("sums of small integers over 8 are exact in any layout and for any number of threads") {
  Random random(9);
  for (const ConvCase& c : cases(Numbers::exact)) {
    CAPTURE(to_string(c.problem));
    const Shape shape = output_shape(c.problem);
    const Tensor values = filled(DType::f32, shape, [&] { return static_cast<double>(random.between(-64, 64)) / 8; });
    const Definition defined = define(c, values, shape.h);
    for (const Layout layout : kLayouts) {
      PlacedTensor input(DType::f32, c.input.shape(), layout, 64), placed(DType::f32, shape, layout, 64);
      input.copy_from(c.input);
      placed.copy_from(values);
      for (const int threads : {1, 2, 3}) {
        const TapProducts got = tap_products(c.problem, input.ref(), placed.ref(), threads);
        CHECK(got.with_values == defined.sums.with_values);
        CHECK(got.with_taps == defined.sums.with_taps);
        const WeightGradient gradient = weight_gradient(c.problem, input.ref(), placed.ref(), threads);
        CHECK(gradient.weights == gradient_of(c.problem, defined.sums).weights);
        CHECK(gradient.bias == gradient_of(c.problem, defined.sums).bias);
      }
    }
  }
}

TEST_CASE("gradients and tap products have the same bits for any number of threads") {
  Random random(10);
  const ConvCase c = make_case({DType::f32, {2, 2, 90, 130}, {3, 2, 3, 3}, {.padding = kSame}, Numbers::rough}, random);
  const Tensor values = rough_tensor(output_shape(c.problem), random);
  const TapProducts one = tap_products(c.problem, c.input.ref(), values.ref(), 1);
  for (const int threads : {2, 3, 7}) {
    const TapProducts more = tap_products(c.problem, c.input.ref(), values.ref(), threads);
    CHECK(more.with_values == one.with_values);
    CHECK(more.with_taps == one.with_taps);
  }
  // weight_gradient() cuts its work into one share per million multiply-adds: 13 million, summed by rows, and 27
  // million, by pixels.
  for (const KernelShape& kernel : {KernelShape{16, 4, 3, 3}, KernelShape{16, 8, 3, 3}}) {
    CAPTURE(kernel.c_i_per_group);
    const ConvCase layer =
        make_case({DType::f32, {2, kernel.c_i_per_group, 90, 130}, kernel, {.padding = kSame}, Numbers::rough}, random);
    REQUIRE(mac_count(layer.problem) > 10e6);
    const Tensor dy = rough_tensor(output_shape(layer.problem), random);
    const WeightGradient of_one = weight_gradient(layer.problem, layer.input.ref(), dy.ref(), 1);
    for (const int threads : {2, 3, 7}) {
      const WeightGradient more = weight_gradient(layer.problem, layer.input.ref(), dy.ref(), threads);
      CHECK(more.weights == of_one.weights);
      CHECK(more.bias == of_one.bias);
    }
  }
}

}  // namespace
}  // namespace convtool
