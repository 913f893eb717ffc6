// Mean pools over unequal windows against their definition. The results of PyTorch are in
// tests/kernels/test_golden_layers.cpp.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>

#include "network/layers.h"
#include "network/pools/mean_pool.h"
#include "network/pools/pool_windows.h"
#include "support/placed_tensor.h"

namespace convtool {
namespace {

Layer mean_pool(const Extent& size, const Extent& stride, const Padding& padding, const PoolRules& rules) {
  Layer layer = make_layer(2, {.kh = size.h, .kw = size.w}, {}, {.stride = stride, .padding = padding});
  layer.pooling = Pooling::mean;
  layer.pool = rules;
  return layer;
}

/// Means of the pixels that each window sees, counting those of the padding or not.
std::vector<double> means(const ConstTensorRef& input, const Layer& layer, const Shape& out) {
  const std::vector<double> values = values_of(input);
  const Shape& in = input.shape;
  const Pads& pad = layer.params.padding.pads;
  const Extent& stride = layer.params.stride;
  const std::int64_t kh = layer.pool.is_global ? in.h : layer.shape.kh,
                     kw = layer.pool.is_global ? in.w : layer.shape.kw;
  std::vector<double> result;
  for (std::int64_t plane = 0; plane < in.n * in.c; ++plane)
    for (std::int64_t i = 0; i < out.h; ++i)
      for (std::int64_t j = 0; j < out.w; ++j) {
        double sum = 0, count = 0;
        for (std::int64_t u = 0; u < kh; ++u)
          for (std::int64_t v = 0; v < kw; ++v) {
            const std::int64_t y = i * stride.h - pad.top + u, x = j * stride.w - pad.left + v;
            const bool inside = y >= 0 && y < in.h && x >= 0 && x < in.w;
            const bool padded = y < in.h + pad.bottom && x < in.w + pad.right;
            count += inside || (layer.pool.counts_padding && padded) ? 1 : 0;
            if (inside) sum += values[static_cast<std::size_t>((plane * in.h + y) * in.w + x)];
          }
        result.push_back(static_cast<double>(static_cast<float>(sum / count)));
      }
  return result;
}

TEST_CASE("the mean of each window, in every layout, type and number of threads") {
  Random random(801);
  for (int round = 0; round < 150; ++round) {
    const DType dtype = random.pick(std::vector{DType::u8, DType::u16, DType::f32});
    const Extent size{random.between(1, 5), random.between(1, 5)}, stride{random.between(1, 4), random.between(1, 4)};
    const PoolRules rules{
        .is_global = random.chance(8), .ceil_mode = random.chance(2), .counts_padding = random.chance(2)};
    const Padding padding = rules.is_global ? Padding{}
                                            : pads(random.between(0, size.h - 1), random.between(0, size.w - 1),
                                                   random.between(0, size.h - 1), random.between(0, size.w - 1));
    const Layer layer = mean_pool(size, stride, padding, rules);
    const Shape shape{random.between(1, 2), random.between(1, 9), size.h + random.between(0, 9),
                      size.w + random.between(0, 30)};
    const Tensor x = random_picture(dtype, shape, random);
    for (const Layout layout : kLayouts) {
      PlacedTensor input(dtype, shape, layout, 64);
      input.copy_from(x);
      const BankPlan plan(bank_of({layer}), dtype, shape, false, {.threads = static_cast<int>(random.between(1, 3))});
      CHECK(plan.algorithm() == "pool");
      PlacedTensor output(DType::f32, plan.output_shape(), random.pick(kLayouts), 64);
      const ResponseStats stats = plan.run(input.ref(), output.ref(), {});
      CAPTURE(to_string(plan.problem()));
      // The sums are whole and exact, the quotient rounded to double and then to float on both sides.
      CHECK(values_of(output.to_planar().ref()) == means(x.ref(), layer, plan.output_shape()));
      CHECK(output.guard_intact());
      const ResponseStats measured = plan.measure(input.ref(), output.ref().strides);
      CHECK(measured.min == stats.min);
      CHECK(measured.max == stats.max);
    }
  }
}

TEST_CASE("an integer mean is rounded once") {
  Layer layer = mean_pool({1, 2}, {1, 2}, {}, {.ceil_mode = true});
  layer.activation = Activation::leaky_relu;
  const Tensor x = tensor_of(DType::u8, {1, 1, 1, 5}, {1, 2, 3, 4, 9});
  const BankPlan plan(bank_of({layer}), DType::u8, x.shape(), false, {});
  Tensor stored(DType::u8, plan.output_shape());
  plan.run(x.ref(), stored.ref(), {});
  CHECK(values_of(stored.ref()) == std::vector<double>{2, 4, 9});  // 1.5, 3.5 and 9
}

TEST_CASE("ceil_mode rounds the size up, and leaves out a window that starts after the input") {
  const auto size_and_formula = [](std::int64_t in, std::int64_t k, std::int64_t stride, std::int64_t pad) {
    Layer layer = mean_pool({k, 1}, {stride, 1}, pads(pad, 0, pad, 0), {.ceil_mode = true});
    const ConvProblem windows = pool_windows(layer, DType::f32, {1, 1, in, 1});
    return std::pair(output_shape(windows).h, pool_height_formula(layer, windows));
  };
  using Result = std::pair<std::int64_t, std::string>;
  CHECK(size_and_formula(5, 2, 2, 0) == Result(3, "h = ceil((5 + 0 + 0 - 1*(2-1) - 1) / 2) + 1 = 3"));
  CHECK(size_and_formula(6, 2, 2, 0).first == 3);
  CHECK(size_and_formula(1, 2, 2, 0).first == 1);  // a window larger than the input
  CHECK(size_and_formula(5, 2, 3, 1) ==
        Result(2, "h = ceil((5 + 1 + 1 - 1*(2-1) - 1) / 3) + 1 - 1 = 2 (the last window would start after the input)"));
  // By less than a stride, as in PyTorch.
  CHECK(size_and_formula(3, 4, 2, 0) == Result(1, "h = ceil((3 + 0 + 0 - 1*(4-1) - 1) / 2) + 1 = 1"));
  for (const auto& [in, k, stride] : {std::array<std::int64_t, 3>{2, 4, 2}, {1, 9, 3}, {4, 5, 1}}) {
    const auto size = [&, from = in, by = k, step = stride] { size_and_formula(from, by, step, 0); };
    CHECK(contains(error_of(size), "larger than the padded input"));
  }
}

TEST_CASE("a padding by rule is that of its pads, which the divisors count or not") {
  Random random(802);
  const Tensor x = random_picture(DType::u8, {1, 2, 9, 12}, random);
  for (const Padding& rule : {kSame, kSameLower, kFull})
    for (const bool counts : {false, true}) {
      const Layer layer = mean_pool({4, 3}, {1, 2}, rule, {.counts_padding = counts});
      const Pads pads = bank_geometry(bank_of({layer}), x.dtype(), x.shape()).problems.front().pads;
      CHECK(pads != Pads{});
      const Layer by_pads = mean_pool({4, 3}, {1, 2}, {Padding::Rule::fixed, pads}, {.counts_padding = counts});
      const Tensor y = run_bank(bank_of({layer}), x.ref());
      CHECK(values_of(y.ref()) == means(x.ref(), by_pads, y.shape()));
    }
}

}  // namespace
}  // namespace convtool
