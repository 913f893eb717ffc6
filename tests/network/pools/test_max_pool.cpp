// Max pools against their definition, in every layout and type, and against the rules of nn.MaxPool2d.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "network/layers.h"
#include "support/placed_tensor.h"

namespace convtool {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Layer max_pool(const Extent& size, const Extent& stride, const Extent& padding = {0, 0}) {
  Layer layer = plane(size.h, size.w, std::vector<float>(static_cast<std::size_t>(size.h * size.w), 1.0F));
  layer.pooling = Pooling::max;
  layer.params.stride = stride;
  layer.params.padding = pads(padding.h, padding.w, padding.h, padding.w);
  return layer;
}

/// The definition: the largest value of each window, without its padding.
std::vector<double> largest_values(const ConstTensorRef& input, const Layer& layer, const Shape& out) {
  const std::vector<double> values = values_of(input);
  const Shape& in = input.shape;
  const Pads& pad = layer.params.padding.pads;
  const Extent& stride = layer.params.stride;
  std::vector<double> result;
  for (std::int64_t plane = 0; plane < in.n * in.c; ++plane)
    for (std::int64_t i = 0; i < out.h; ++i)
      for (std::int64_t j = 0; j < out.w; ++j) {
        double most = -kInfinity;
        for (std::int64_t u = 0; u < layer.shape.kh; ++u)
          for (std::int64_t v = 0; v < layer.shape.kw; ++v) {
            const Extent& dilation = layer.params.dilation;
            const std::int64_t y = i * stride.h - pad.top + u * dilation.h,
                               x = j * stride.w - pad.left + v * dilation.w;
            if (y < 0 || y >= in.h || x < 0 || x >= in.w) continue;
            const double value = values[static_cast<std::size_t>((plane * in.h + y) * in.w + x)];
            if (std::isnan(value) || value > most) most = value;
            if (std::isnan(most)) break;
          }
        result.push_back(most);
      }
  return result;
}

TEST_CASE("the largest value of each window, in every layout, type and number of threads") {
  Random random(611);
  for (int round = 0; round < 150; ++round) {
    const DType dtype = random.pick(std::vector{DType::u8, DType::u16, DType::f32});
    const Extent size{random.between(1, 5), random.between(1, 5)}, stride{random.between(1, 4), random.between(1, 4)};
    Layer layer = max_pool(size, stride, {random.between(0, size.h / 2), random.between(0, size.w / 2)});
    layer.pool.ceil_mode = random.chance(2);
    if (random.chance(3)) layer.params.dilation = {random.between(1, 2), random.between(1, 3)};
    const Extent extent = dilated_kernel(layer.shape, layer.params.dilation);
    const Shape shape{random.between(1, 2), random.between(1, 20), extent.h + random.between(0, 9),
                      extent.w + random.between(0, 30)};
    Tensor x = dtype == DType::f32 ? filled(dtype, shape, [&] { return random.rough(); })
                                   : random_picture(dtype, shape, random);
    if (dtype == DType::f32 && random.chance(3))
      x.data<float>()[random.between(0, shape.count() - 1)] = std::numeric_limits<float>::infinity();
    for (const Layout layout : kLayouts) {
      PlacedTensor input(dtype, shape, layout, 64);
      input.copy_from(x);
      const BankPlan plan(bank_of({layer}), dtype, shape, false, {.threads = static_cast<int>(random.between(1, 3))});
      const Layout out_layout = random.pick(kLayouts);
      PlacedTensor output(DType::f32, plan.output_shape(), out_layout, 64);
      const ResponseStats stats = plan.run(input.ref(), output.ref(), {});
      const std::string line = to_string(plan.problem()) + ", " + std::string(to_string(layout)) + " to " +
                               std::string(to_string(out_layout));
      CAPTURE(line);
      const std::vector<double> expected = largest_values(x.ref(), layer, plan.output_shape());
      CHECK(values_of(output.to_planar().ref()) == expected);
      CHECK(output.guard_intact());
      CHECK(stats.min == *std::min_element(expected.begin(), expected.end()));
      CHECK(stats.max == *std::max_element(expected.begin(), expected.end()));
      const ResponseStats measured = plan.measure(input.ref(), output.ref().strides);
      CHECK(measured.min == stats.min);
      CHECK(measured.max == stats.max);
    }
  }
}

TEST_CASE("threads share the rows of a large picture") {
  Random random(612);
  const Shape shape{2, 3, 150, 160};
  const Tensor x = random_picture(DType::u8, shape, random);
  const Layer layer = max_pool({3, 3}, {2, 1}, {1, 1});
  for (const int threads : {1, 2, 3, 0}) {
    const BankPlan plan(bank_of({layer}), DType::u8, shape, false, {.threads = threads});
    Tensor y(DType::u8, plan.output_shape());
    plan.run(x.ref(), y.ref(), {});
    CHECK(values_of(y.ref()) == largest_values(x.ref(), layer, plan.output_shape()));
  }
}

TEST_CASE("NaN is the largest value, and padding never is") {
  const Tensor x = tensor_of(DType::f32, {1, 1, 2, 4}, {kNaN, -1, -2, -3, -4, -5, -6, -7});
  const Tensor y = run_bank(bank_of({max_pool({2, 2}, {2, 2})}), x.ref());
  CHECK(std::isnan(values_of(y.ref())[0]));
  CHECK(values_of(y.ref())[1] == -2);
  // The padded windows contain (0,0), then (0,1) and (0,2), then (0,3) of the upper row, and likewise in the lower row.
  const Tensor padded = run_bank(bank_of({max_pool({2, 2}, {2, 2}, {1, 1})}), x.ref());
  CHECK(padded.shape() == Shape{1, 1, 2, 3});
  const std::vector<double> values = values_of(padded.ref());
  CHECK(std::isnan(values[0]));
  CHECK(std::vector<double>(values.begin() + 1, values.end()) == std::vector<double>{-1, -3, -4, -5, -7});
  const Tensor none = tensor_of(DType::f32, {1, 1, 1, 2}, {-kInfinity, -kInfinity});
  CHECK(values_of(run_bank(bank_of({max_pool({1, 2}, {1, 1})}), none.ref()).ref()) == std::vector<double>{-kInfinity});
}

TEST_CASE("a window may be far larger than its input") {
  constexpr std::int64_t kHalf = std::int64_t{1} << 40;  // too many columns to go through one by one
  const Tensor x = tensor_of(DType::u8, {1, 1, 2, 3}, {1, 2, 3, 9, 8, 7});
  const auto pooled = [&](std::int64_t width, std::int64_t stride, std::int64_t padding) {
    Layer layer = max_pool({1, 1}, {1, stride}, {0, padding});
    layer.shape.kw = width;
    return values_of(run_bank(bank_of({layer}), x.ref()).ref());
  };
  // The windows begin kHalf columns before the input, and kHalf - 1, - 2 and - 3, and end likewise after its start.
  CHECK(pooled(2 * kHalf, 1, kHalf) == std::vector<double>{3, 3, 3, 3, 9, 9, 9, 9});
  // Of two windows, the first one ends with the first column.
  CHECK(pooled(kHalf, kHalf, kHalf - 1) == std::vector<double>{1, 3, 9, 8});
}

TEST_CASE("a pool is a layer like any other: first or last, with a map, measured, in integers") {
  Random random(613);
  const Tensor x = random_picture(DType::u8, {1, 3, 12, 14}, random);
  const Layer layer = max_pool({2, 2}, {2, 2});
  const Network pool = network_of({bank_of({layer})});
  const std::vector<double> largest = largest_values(x.ref(), layer, {1, 3, 6, 7});
  CHECK(values_of(run_network(pool, x.ref(), DType::u8).ref()) == largest);

  const std::vector<double> stretched = values_of(run_network(pool, x.ref(), DType::u8, OutputMap::normalize).ref());
  CHECK(*std::min_element(stretched.begin(), stretched.end()) == 0);
  CHECK(*std::max_element(stretched.begin(), stretched.end()) == 255);

  const Bank tenth = bank_of({plane(1, 1, {-0.125F})});
  const Tensor after = run_network(network_of({bank_of({layer}), tenth}), x.ref());
  const Tensor before = run_network(network_of({tenth, bank_of({layer})}), x.ref());
  std::vector<double> scaled;
  for (const double value : largest) scaled.push_back(-0.125 * value);
  CHECK(values_of(after.ref()) == scaled);
  CHECK(values_of(before.ref()) == values_of(run_bank(bank_of({layer}), run_bank(tenth, x.ref()).ref()).ref()));
}

TEST_CASE("a pool must be alone in its bank and fit its input") {
  const Layer pool = max_pool({2, 2}, {2, 2}), one = plane(1, 1, {1});
  const auto refused = [](const Bank& bank) {
    return error_of([&] { const BankPlan plan(bank, DType::u8, {1, 1, 4, 4}, false, {}); });
  };
  CHECK(contains(refused(bank_of({one, pool})), "make it a separate entry"));
  CHECK(contains(refused(bank_of({pool}, Combine::max)), "make it a separate entry"));
  const Network shrinking = network_of({bank_of({pool}), bank_of({pool}), bank_of({pool})});
  const Error error = error_of([&] { const NetworkPlan plan(shrinking, DType::u8, {1, 1, 7, 7}, false, {}); });
  CHECK(error.where() == "layer 3 on 1x1x1");
  CHECK(contains(error,
                 "the window is larger than the padded input (window 2x2, padded input 1x1); use a smaller window"));
}

}  // namespace
}  // namespace convtool
